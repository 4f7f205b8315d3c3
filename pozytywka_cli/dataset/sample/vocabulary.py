"""Words for titles, names of people and addresses."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ADJECTIVES = _words("""
    Amber Ancient Bitter Black Blind Blue Bright Broken Burning Cold Crimson Crooked Dark Dead Distant Drowning
    Electric Empty Endless Fading Fallen Final Foreign Frozen Gentle Ghostly Golden Gray Half-Lit Heavy Hidden
    Hollow Holy Inverted Lonely Long Lost Midnight Naked New Northern Old Pale Perfect Quiet Red Restless Sacred
    Second Silent Silver Slow Southern Strange Sudden Sunken Tender Thin Violet Wandering Warm White Wild Wooden
    Yellow
""")
NOUNS = _words("""
    Air Anchor Animals Architecture Ashes Atlas Avenue Bells Birds Bones Boulevard Bridge Carousel Cathedral Ceiling
    City Coast Colours Companion Compass Current Dance Daughters Dawn Desert Diary Distance Dream Echoes Engine Eyes
    February Fever Field Fire Flood Flowers Garden Glass Gravity Hands Harbour Heart Highway Horizon Hour House Hymn
    Island Kingdom Lanterns Letters Light Lines Machine Map Mirror Monument Moon Morning Mountain Names Night Ocean
    Orbit Parade Passenger Photograph Planet Radio Rain River Room Sea Season Shadow Shelter Signal Skin Sky Sleep
    Smoke Snow Song Stars Station Stones Storm Street Summer Sun Telephone Theatre Thunder Tide Tower Train Valley
    Visitor Voices Walls Water Weather Wheel Wind Window Winter Year
""")
FIRST_NAMES = _words("""
    Adam Agnieszka Aleksander Aniela Anna Antoni Barbara Bartosz Borys Cezary Dominik Dorota Elżbieta Emil Ewa Filip
    Gabriela Hanna Helena Hubert Ignacy Iga Jagoda Jakub Jan Joanna Julia Kacper Kaja Karol Katarzyna Konrad
    Krzysztof Lena Leon Łucja Maciej Maja Marcin Marta Michał Natalia Nina Olga Oliwia Oskar Patryk Paulina Piotr
    Róża Sandra Stanisław Szymon Tadeusz Tymon Urszula Weronika Wiktor Wojciech Zofia Zuzanna
""")
SURNAMES = _words("""
    Banaś Bąk Bednarz Bielak Błaszczyk Bujak Chmiel Cichosz Czech Dąbek Drozd Duda Dudek Dziuba Gaweł Gąska Głowacz
    Góra Grabarz Jaros Jarosz Kania Kasprzak Kaźmierczak Kmiecik Kołodziej Kopeć Kos Kozioł Krawczyk Kruk Kubiak
    Kurek Lis Maciąg Madej Mazur Mikołajczyk Motyka Mróz Niedziela Nowak Olejnik Pająk Pawlak Pietrzak Piątek Rogala
    Rybak Sikora Skiba Skowronek Sobczak Sowa Stachura Stępień Szczygieł Szewc Świątek Tomczak Urban Wawrzyniak
    Wieczorek Wilk Wojtczak Wróbel Zając Zięba Żak Żuk
""")
CITIES = _words("Białystok Gdańsk Gdynia Katowice Kraków Lublin Łódź Poznań Radom Szczecin Toruń Warszawa Wrocław")
STREET_KINDS = ("ul.", "ulica", "al.", "aleja", "pl.", "plac")
STREETS = _words("""
    Akacjowa Bukowa Cicha Dworcowa Fabryczna Gdańska Głogowa Górna Grunwaldzka Jasna Jesionowa Kalinowa Kaliska
    Klonowa Kolejowa Krótka Kwiatowa Leśna Lipowa Łąkowa Malinowa Mostowa Nadrzeczna Ogrodowa Parkowa Piaskowa Polna
    Południowa Północna Rybacka Słoneczna Sosnowa Sowia Spacerowa Strażacka Szkolna Szafirowa Truskawkowa Wiejska
    Wierzbowa Wiosenna Wodna Zaciszna Zamkowa Zielona Złota
""")
