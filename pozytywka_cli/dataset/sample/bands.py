"""Bands that exist, by their main genre, with the other genres of this list that they are also filed under."""

# a genre and its bands; after a slash the further genres of a band
TEXT = """
post-metal: Rosetta / post-rock; Cult Of Luna / doom metal; Pelican / post-rock; *shels / post-rock; The Ocean /
    progressive metal; Isis / doom metal; Neurosis / doom metal; Russian Circles / post-rock; Amenra / doom metal;
    Bossk / post-rock
post-rock: Mogwai; Explosions In The Sky; Godspeed You! Black Emperor; This Will Destroy You / ambient; Caspian;
    Mono; 65daysofstatic; God Is An Astronaut; Sigur Rós / ambient; Do Make Say Think
doom metal: Candlemass; Saint Vitus; Electric Wizard; Sleep; YOB / post-metal; My Dying Bride; Pallbearer; Trouble;
    Bell Witch
black metal: Mayhem; Darkthrone; Emperor; Immortal; Bathory / thrash metal; Satyricon; Enslaved / progressive metal;
    Behemoth; Wolves In The Throne Room; Deafheaven / shoegaze / post-metal
progressive metal: Dream Theater; Opeth / progressive rock; Meshuggah; Mastodon; Fates Warning; Queensrÿche; Gojira;
    Leprous; Haken / progressive rock
thrash metal: Metallica; Slayer; Megadeth; Anthrax; Testament; Kreator; Exodus; Overkill; Sepultura; Voivod /
    progressive metal
progressive rock: King Crimson; Pink Floyd / classic rock; Yes / classic rock; Genesis / classic rock; Camel; Van
    Der Graaf Generator; Riverside / progressive metal; Porcupine Tree / progressive metal; Rush / classic rock;
    Jethro Tull / classic rock / folk
classic rock: Led Zeppelin; The Rolling Stones; The Who; Queen; Deep Purple; Cream; Fleetwood Mac; The Doors;
    Creedence Clearwater Revival; Simon & Garfunkel / folk
folk: Nick Drake; Joni Mitchell; Bob Dylan / classic rock; Fairport Convention; Pentangle; Joan Baez; Leonard Cohen;
    Fleet Foxes / indie rock; Vashti Bunyan
indie rock: Arctic Monkeys; The Strokes; Interpol / post-punk; Modest Mouse; Pavement; Arcade Fire; Yo La Tengo /
    dream pop; Built To Spill; The National
shoegaze: My Bloody Valentine / dream pop; Slowdive / dream pop; Ride / indie rock; Lush / dream pop; Swervedriver /
    indie rock; Chapterhouse; Pale Saints / dream pop; Nothing; Alcest / post-metal / black metal
dream pop: Cocteau Twins / post-punk; Beach House / indie rock; Mazzy Star; Galaxie 500 / indie rock; Cigarettes
    After Sex / ambient; Still Corners / synth-pop; Wild Nothing / indie rock; Julee Cruise; Alvvays / indie rock
punk: Ramones; Sex Pistols; The Clash / post-punk; Dead Kennedys; Bad Religion; Minor Threat; Black Flag; The Damned
    / post-punk; Buzzcocks; Misfits
post-punk: Joy Division; Wire / punk; Gang Of Four / funk; Siouxsie And The Banshees; Bauhaus; Magazine; Public
    Image Ltd; The Fall; Killing Joke
synth-pop: Depeche Mode; Pet Shop Boys; The Human League / post-punk; Orchestral Manoeuvres In The Dark; New Order /
    post-punk; Soft Cell; Erasure; Eurythmics; Chvrches
techno: Jeff Mills; Robert Hood; Juan Atkins; Derrick May; Underground Resistance; Richie Hawtin; Carl Craig; Ben
    Klock; The Field / ambient
ambient: Brian Eno; Stars Of The Lid / post-rock; Tim Hecker; William Basinski; Harold Budd / dream pop; Biosphere /
    techno; Loscil / techno; Grouper / dream pop; Steve Roach
trip hop: Massive Attack; Portishead; Tricky / hip hop; Morcheeba / soul; Sneaker Pimps; Lamb; Hooverphonic / dream
    pop; Zero 7 / soul; Nightmares On Wax / hip hop / soul
hip hop: A Tribe Called Quest / jazz; Wu-Tang Clan; Nas; OutKast / funk; Public Enemy; De La Soul; Gang Starr /
    jazz; Madvillain; The Roots / soul; Kendrick Lamar
soul: Aretha Franklin; Otis Redding; Marvin Gaye; Al Green; Sam Cooke; Curtis Mayfield / funk; Bill Withers; Isaac
    Hayes / funk; Sharon Jones & The Dap-Kings / funk
funk: Parliament; Funkadelic; Sly & The Family Stone / soul; The Meters; Ohio Players / soul; Kool & The Gang /
    soul; James Brown / soul; Cameo; Zapp
jazz: Miles Davis; John Coltrane; Thelonious Monk; Charles Mingus; Bill Evans; Herbie Hancock / funk; Nina Simone /
    soul; Tomasz Stańko; Krzysztof Komeda
"""


def _parse(text: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the further genres of each band, by main genre and band."""
    bands: dict[str, dict[str, tuple[str, ...]]] = {}
    for line in text.replace("\n    ", " ").strip().splitlines():
        genre, _, listed = line.partition(": ")
        parts = (band.split(" / ") for band in listed.split("; "))
        bands[genre] = {name: tuple(further) for name, *further in parts}
    return bands


BANDS = _parse(TEXT)
