"""Cases: files of scrobbles as other services write them."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# user, artist, listens: 12 users of 30 artists
COUNTS = [
    (user, artist, 1 + (7 * user + 3 * artist) % 40)
    for user in range(1, 13)
    for artist in range(1, 31)
    if (user + artist) % 3
]


@dataclass(frozen=True)
class Delivery:
    """How two files are written, and what `train similar` must make of them.

    code: the exit code; says: parts of standard error; the artist pairs counted are the same in all that are read
    """

    name: str
    write: Callable[[Path, Path], None]
    code: int = 0
    says: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the name, which pytest shows."""
        return self.name


def text(
    separator: str = ",",
    header: tuple[str, str] | None = None,
    end: str = "\n",
    user: str = "{}",
    artist: str = "{}",
    count: str = "{}",
    name: str = "Band {}",
) -> tuple[str, str]:
    """Return the two files' text; of the standard form unless it says otherwise."""
    titles = ("user_id,artist_id,scrobbles", "artist_id,artist_name") if header is None else header
    first = [title.replace(",", separator) for title in titles if title]
    lines = [separator.join((user.format(u), artist.format(a), count.format(n))) for u, a, n in COUNTS]
    names = [separator.join((artist.format(a), name.format(a))) for a in range(1, 31)]
    return end.join([*first[:1], *lines, ""]), end.join([*first[1:], *names, ""])


def plain(**form: object) -> Callable[[Path, Path], None]:
    def write(scrobbles: Path, artists: Path) -> None:
        for path, content in zip((scrobbles, artists), text(**form), strict=True):  # type: ignore[arg-type]
            path.write_bytes(content.encode())

    return write


def encoded(encode: Callable[[str], bytes]) -> Callable[[Path, Path], None]:
    def write(scrobbles: Path, artists: Path) -> None:
        for path, content in zip((scrobbles, artists), text(), strict=True):
            path.write_bytes(encode(content))

    return write


def damaged(old: str, new: str) -> Callable[[Path, Path], None]:
    def write(scrobbles: Path, artists: Path) -> None:
        counts, names = text()
        assert old in counts
        scrobbles.write_text(counts.replace(old, new, 1))
        artists.write_text(names)

    return write


def floats_in_one(scrobbles: Path, artists: Path) -> None:
    plain(artist="{}.0")(scrobbles, artists)
    artists.write_text(text()[1])


HETREC = ("userID,artistID,weight", "id,name")
DELIVERIES = [
    Delivery("the documented form", plain()),
    Delivery("gzip content in files named .csv", encoded(lambda content: gzip.compress(content.encode()))),
    Delivery("CR line ends", plain(end="\r")),
    Delivery("CRLF line ends", plain(end="\r\n")),
    Delivery("a byte order mark", encoded(lambda content: content.encode("utf-8-sig"))),
    Delivery("tabs", plain(separator="\t")),
    Delivery("semicolons", plain(separator=";")),
    Delivery("HetRec 2011", plain(separator="\t", header=HETREC)),
    Delivery("capitals in the header", plain(header=("USER_ID,Artist_ID,Scrobbles", "ARTIST_ID,Artist_Name"))),
    Delivery("no header", plain(header=("", ""))),
    Delivery("ids as floats", plain(user="{}.0", artist="{}.0")),
    Delivery("ids as floats in one file", floats_in_one),
    Delivery("counts as floats", plain(count="{}.0")),
    Delivery("ids that are text", plain(user="u-{}", artist="mbid-{}")),
    Delivery("a count that is no number", damaged(",19\n", ",many\n"), code=3, says=("s.csv:", "many")),
    Delivery("a negative count", damaged(",19\n", ",-19\n"), code=3, says=("s.csv:", "-19")),
    Delivery(
        "latin-1 text",
        encoded(lambda content: content.replace("Band", "Bänd").encode("latin-1")),
        code=3,
        says=("a.csv:", "UTF-8"),
    ),
    Delivery("ids that no artist has", plain(artist="x{}"), code=0),
]
