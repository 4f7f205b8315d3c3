"""Words that the sample draws from: bands and their genres, words of titles, names of people and addresses."""

from collections.abc import Iterator

# a genre and its bands; after a slash the further genres of a band; all of them exist
BANDS_BY_GENRE = """
post-metal: Rosetta / post-rock; Cult Of Luna / doom metal; Pelican / post-rock; *shels / post-rock; The Ocean /
    progressive metal; Isis / doom metal; Neurosis / doom metal; Russian Circles / post-rock; Amenra / doom metal; Bossk
    / post-rock
post-rock: Mogwai; Explosions In The Sky; Godspeed You! Black Emperor; This Will Destroy You / ambient; Caspian; Mono;
    65daysofstatic; God Is An Astronaut; Sigur Rós / ambient; Do Make Say Think
doom metal: Candlemass; Saint Vitus; Electric Wizard; Sleep; YOB / post-metal; My Dying Bride; Pallbearer; Trouble; Bell
    Witch
black metal: Mayhem; Darkthrone; Emperor; Immortal; Bathory / thrash metal; Satyricon; Enslaved / progressive metal;
    Behemoth; Wolves In The Throne Room; Deafheaven / shoegaze / post-metal
progressive metal: Dream Theater; Opeth / progressive rock; Meshuggah; Mastodon; Fates Warning; Queensrÿche; Gojira;
    Leprous; Haken / progressive rock
thrash metal: Metallica; Slayer; Megadeth; Anthrax; Testament; Kreator; Exodus; Overkill; Sepultura; Voivod /
    progressive metal
progressive rock: King Crimson; Pink Floyd / classic rock; Yes / classic rock; Genesis / classic rock; Camel; Van Der
    Graaf Generator; Riverside / progressive metal; Porcupine Tree / progressive metal; Rush / classic rock; Jethro Tull
    / classic rock / folk
classic rock: Led Zeppelin; The Rolling Stones; The Who; Queen; Deep Purple; Cream; Fleetwood Mac; The Doors; Creedence
    Clearwater Revival; Simon & Garfunkel / folk
folk: Nick Drake; Joni Mitchell; Bob Dylan / classic rock; Fairport Convention; Pentangle; Joan Baez; Leonard Cohen;
    Fleet Foxes / indie rock; Vashti Bunyan
indie rock: Arctic Monkeys; The Strokes; Interpol / post-punk; Modest Mouse; Pavement; Arcade Fire; Yo La Tengo / dream
    pop; Built To Spill; The National
shoegaze: My Bloody Valentine / dream pop; Slowdive / dream pop; Ride / indie rock; Lush / dream pop; Swervedriver /
    indie rock; Chapterhouse; Pale Saints / dream pop; Nothing; Alcest / post-metal / black metal
dream pop: Cocteau Twins / post-punk; Beach House / indie rock; Mazzy Star; Galaxie 500 / indie rock; Cigarettes After
    Sex / ambient; Still Corners / synth-pop; Wild Nothing / indie rock; Julee Cruise; Alvvays / indie rock
punk: Ramones; Sex Pistols; The Clash / post-punk; Dead Kennedys; Bad Religion; Minor Threat; Black Flag; The Damned /
    post-punk; Buzzcocks; Misfits
post-punk: Joy Division; Wire / punk; Gang Of Four / funk; Siouxsie And The Banshees; Bauhaus; Magazine; Public Image
    Ltd; The Fall; Killing Joke
synth-pop: Depeche Mode; Pet Shop Boys; The Human League / post-punk; Orchestral Manoeuvres In The Dark; New Order /
    post-punk; Soft Cell; Erasure; Eurythmics; Chvrches
techno: Jeff Mills; Robert Hood; Juan Atkins; Derrick May; Underground Resistance; Richie Hawtin; Carl Craig; Ben Klock;
    The Field / ambient
ambient: Brian Eno; Stars Of The Lid / post-rock; Tim Hecker; William Basinski; Harold Budd / dream pop; Biosphere /
    techno; Loscil / techno; Grouper / dream pop; Steve Roach
trip hop: Massive Attack; Portishead; Tricky / hip hop; Morcheeba / soul; Sneaker Pimps; Lamb; Hooverphonic / dream pop;
    Zero 7 / soul; Nightmares On Wax / hip hop / soul
hip hop: A Tribe Called Quest / jazz; Wu-Tang Clan; Nas; OutKast / funk; Public Enemy; De La Soul; Gang Starr / jazz;
    Madvillain; The Roots / soul; Kendrick Lamar
soul: Aretha Franklin; Otis Redding; Marvin Gaye; Al Green; Sam Cooke; Curtis Mayfield / funk; Bill Withers; Isaac Hayes
    / funk; Sharon Jones & The Dap-Kings / funk
funk: Parliament; Funkadelic; Sly & The Family Stone / soul; The Meters; Ohio Players / soul; Kool & The Gang / soul;
    James Brown / soul; Cameo; Zapp
jazz: Miles Davis; John Coltrane; Thelonious Monk; Charles Mingus; Bill Evans; Herbie Hancock / funk; Nina Simone /
    soul; Tomasz Stańko; Krzysztof Komeda
"""


def _bands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each band with its genres, the main one first."""
    for line in text.replace("\n    ", " ").strip().splitlines():
        main, _, bands = line.partition(": ")
        for name, *further in (band.split(" / ") for band in bands.split("; ")):
            yield name, [main, *further]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


BANDS = dict(_bands(BANDS_BY_GENRE))
ADJECTIVES = _words("""
    Amber Ancient Bitter Black Blind Blue Bright Broken Burning Cold Crimson Crooked Dark Dead Distant Drowning Electric
    Empty Endless Fading Fallen Final Foreign Frozen Gentle Ghostly Golden Gray Half-Lit Heavy Hidden Hollow Holy
    Inverted Lonely Long Lost Midnight Naked New Northern Old Pale Perfect Quiet Red Restless Sacred Second Silent
    Silver Slow Southern Strange Sudden Sunken Tender Thin Violet Wandering Warm White Wild Wooden Yellow
""")
NOUNS = _words("""
    Air Anchor Animals Architecture Ashes Atlas Avenue Bells Birds Bones Boulevard Bridge Carousel Cathedral Ceiling
    City Coast Colours Companion Compass Current Dance Daughters Dawn Desert Diary Distance Dream Echoes Engine Eyes
    February Fever Field Fire Flood Flowers Garden Glass Gravity Hands Harbour Heart Highway Horizon Hour House Hymn
    Island Kingdom Lanterns Letters Light Lines Machine Map Mirror Monument Moon Morning Mountain Names Night Ocean
    Orbit Parade Passenger Photograph Planet Radio Rain River Room Sea Season Shadow Shelter Signal Skin Sky Sleep Smoke
    Snow Song Stars Station Stones Storm Street Summer Sun Telephone Theatre Thunder Tide Tower Train Valley Visitor
    Voices Walls Water Weather Wheel Wind Window Winter Year
""")
FIRST_NAMES = _words("""
    Adam Agnieszka Aleksander Aniela Anna Antoni Barbara Bartosz Borys Cezary Dominik Dorota Elżbieta Emil Ewa Filip
    Gabriela Hanna Helena Hubert Ignacy Iga Jagoda Jakub Jan Joanna Julia Kacper Kaja Karol Katarzyna Konrad Krzysztof
    Lena Leon Łucja Maciej Maja Marcin Marta Michał Natalia Nina Olga Oliwia Oskar Patryk Paulina Piotr Róża Sandra
    Stanisław Szymon Tadeusz Tymon Urszula Weronika Wiktor Wojciech Zofia Zuzanna
""")
SURNAMES = _words("""
    Banaś Bąk Bednarz Bielak Błaszczyk Bujak Chmiel Cichosz Czech Dąbek Drozd Duda Dudek Dziuba Gaweł Gąska Głowacz Góra
    Grabarz Jaros Jarosz Kania Kasprzak Kaźmierczak Kmiecik Kołodziej Kopeć Kos Kozioł Krawczyk Kruk Kubiak Kurek Lis
    Maciąg Madej Mazur Mikołajczyk Motyka Mróz Niedziela Nowak Olejnik Pająk Pawlak Pietrzak Piątek Rogala Rybak Sikora
    Skiba Skowronek Sobczak Sowa Stachura Stępień Szczygieł Szewc Świątek Tomczak Urban Wawrzyniak Wieczorek Wilk
    Wojtczak Wróbel Zając Zięba Żak Żuk
""")
CITIES = _words("Białystok Gdańsk Gdynia Katowice Kraków Lublin Łódź Poznań Radom Szczecin Toruń Warszawa Wrocław")
STREET_KINDS = ("ul.", "ulica", "al.", "aleja", "pl.", "plac")
STREETS = _words("""
    Akacjowa Bukowa Cicha Dworcowa Fabryczna Gdańska Głogowa Górna Grunwaldzka Jasna Jesionowa Kalinowa Kaliska Klonowa
    Kolejowa Krótka Kwiatowa Leśna Lipowa Łąkowa Malinowa Mostowa Nadrzeczna Ogrodowa Parkowa Piaskowa Polna Południowa
    Północna Rybacka Słoneczna Sosnowa Sowia Spacerowa Strażacka Szkolna Szafirowa Truskawkowa Wiejska Wierzbowa
    Wiosenna Wodna Zaciszna Zamkowa Zielona Złota
""")
