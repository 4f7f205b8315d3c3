"""Scrobbles as other programs write them: containers, line ends, separators, headers, ids and counts."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.scrobbles import load_scrobbles
from pozytywka_cli.errors import RefusedError, StorageError

CASES = Path(__file__).parents[3] / "shared" / "cases"
ROWS = [("1", "51", "Duran Duran", 13883), ("1", "52", "Earth, Wind & Fire", 277), ("2", "51", "Duran Duran", 3)]
EXPECTED = [("1", "51", 13883), ("1", "52", 277), ("2", "51", 3)]
NAMES = {"51": "Duran Duran", "52": "Earth, Wind & Fire"}
SHA, MBID = "00000c289a1829a808ac09c00daf10bc3c4e223b", "3bd73256-3905-4f3a-97e2-8b341527f805"

Load = Callable[..., Dataset]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """`load(scrobbles, artists)`: the dataset of two files of this content; `messages` are collected."""

    def read(scrobbles: str | bytes, artists: str | bytes | None = None, messages: list[str] | None = None) -> Dataset:
        paths = tmp_path / "s.csv", tmp_path / ("s.csv" if artists is None else "a.csv")
        for path, content in zip(paths, (scrobbles, artists), strict=True):
            if content is not None:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        return load_scrobbles(*paths, ([] if messages is None else messages).append)

    return read


def names(dataset: Dataset) -> dict[str, str]:
    """Name by id."""
    return dict(dataset.artists.select("id", "name").iter_rows())


def table(separator: str, columns: list[str], header: list[str] | None, order: list[int]) -> str:
    """The rows' user, artist, name and count under `header`, in an order of columns."""
    lines = [header] if header else []
    lines += [[str(row[at]) for at in order] for row in ROWS]
    quoted = [[f'"{cell}"' if separator in cell else cell for cell in line] for line in lines]
    return "".join(separator.join(line) + "\n" for line in quoted)


S = "user_id,artist_id,scrobbles\n1,51,13883\n1,52,277\n2,51,3\n"
A = 'artist_id,artist_name\n51,Duran Duran\n52,"Earth, Wind & Fire"\n'
BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, zstandard.compress])
def test_files_may_be_compressed_whatever_they_are_called(load: Load, pack: Callable[[bytes], bytes]) -> None:
    """The content tells, and the input is described by the bytes of the file."""
    dataset = load(pack(S.encode()), pack(A.encode()))
    assert (dataset.scrobbles.rows(), names(dataset)) == (EXPECTED, NAMES)
    assert dataset.inputs[0].bytes == len(pack(S.encode()))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [0, 1, 3])
@pytest.mark.parametrize("mark", [b"", BOM])
def test_line_ends(load: Load, end: str, last: int, mark: bytes) -> None:
    """LF, CRLF and CR; blank last lines and a byte order mark are not data."""
    s, a = (mark + (text.rstrip("\n") + "\n" * last).replace("\n", end).encode() for text in (S, A))
    messages: list[str] = []
    dataset = load(s, a, messages)
    assert (dataset.scrobbles.rows(), names(dataset), messages) == (EXPECTED, NAMES, [])


@pytest.mark.parametrize(
    ("separator", "header", "order"),
    [
        (",", ["user_id", "artist_id", "scrobbles"], [0, 1, 3]),
        ("\t", ["userID", "artistID", "weight"], [0, 1, 3]),
        (";", ["Plays", "USER", "Artist"], [3, 0, 1]),
        ("|", ["name", "playcount", "userid", "artist_id"], [2, 3, 0, 1]),
        ("\t", ["user", "musicbrainz-artist-id", "artist-name", "plays"], [0, 1, 2, 3]),
        (",", ["count", "id", "artist_id", "user_id"], [3, 3, 1, 0]),
        (";", None, [0, 1, 3]),
        ("\t", None, [0, 1, 3]),
        (",", None, [0, 1, 2, 3]),
        ("|", None, [0, 1, 2, 3]),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r"])
def test_separators_and_headers(
    load: Load, separator: str, header: list[str] | None, order: list[int], end: str
) -> None:
    """Every spelling of a column, in any case and order, beside other columns, or none: the same scrobbles."""
    messages: list[str] = []
    dataset = load(table(separator, [], header, order).replace("\n", end), A, messages)
    assert dataset.scrobbles.rows() == EXPECTED
    assert len(messages) == (header != ["user_id", "artist_id", "scrobbles"])  # the documented form needs no word


@pytest.mark.parametrize(
    "artists",
    [
        "id\tname\turl\tpictureURL\n51\tDuran Duran\thttp://a\thttp://b\n52\tEarth, Wind & Fire\thttp://c\t\n",
        "artname;artist id\nDuran Duran;51\nEarth, Wind & Fire;52\n",
        "51|Duran Duran\n52|Earth, Wind & Fire\n",
        "id,artist\n51.0,Duran Duran\n52.0,'Earth, Wind & Fire'\n".replace("'", '"'),
    ],
)
def test_lists_of_artists(load: Load, artists: str) -> None:
    """HetRec's `artists.dat`, other names of columns, no header, ids that became floats."""
    dataset = load(S, artists)
    assert (dataset.scrobbles.rows(), names(dataset)) == (EXPECTED, NAMES)


def test_one_file_of_ids_and_names(load: Load) -> None:
    """As in Last.fm 360K: no header, an artist without an id goes by its name, the most frequent spelling is the name.

    Quotes are plain characters between tabs.
    """
    rows = [
        (SHA, MBID, '"weird al" yankovic', "2137"),
        ("b", MBID, "weird al", "1"),
        ("c", MBID, '"weird al" yankovic', "2"),
        (SHA, "", '12" mix', "5.0"),
    ]
    messages: list[str] = []
    dataset = load("".join("\t".join(row) + "\n" for row in rows), None, messages)
    assert dataset.scrobbles.rows() == [(SHA, MBID, 2137), ("b", MBID, 1), ("c", MBID, 2), (SHA, '12" mix', 5)]
    assert names(dataset) == {MBID: '"weird al" yankovic', '12" mix': '12" mix'}
    assert len(dataset.inputs) == 2
    assert all(part in messages[0] for part in ("tab", "artist_name", "scrobbles"))


def test_counts_and_ids_that_became_floats(load: Load) -> None:
    """`277.0` is a count, and ids `1.0` are `1` if all of a column are numbers; other text stays as it is."""
    dataset = load("user_id,artist_id,scrobbles\n1.0,51.0,13883.0\n 1 ,52.0,2.77e2\n2.0,51,3\n", A)
    assert dataset.scrobbles.rows() == EXPECTED
    text = load("user_id,artist_id,scrobbles\n1.0,x,1\nu,1.0,2\n", "artist_id,artist_name\nx,X\n1.0,One\n")
    assert text.scrobbles.rows() == [("1.0", "x", 1), ("u", "1.0", 2)]


def test_counts_of_zero_are_left_out(load: Load) -> None:
    """With a warning that has their number and the first line."""
    messages: list[str] = []
    dataset = load(S + "3,51,0\n3,52,0.0\n", A, messages)
    assert dataset.scrobbles.rows() == EXPECTED
    assert "s.csv:5: " in messages[0]
    assert "2 rows" in messages[0]


def test_ids_without_a_name(load: Load) -> None:
    """Few are counted in one warning; if most rows have none, the files do not belong together."""
    messages: list[str] = []
    assert len(load(S + "3,99,1\n", A, messages).scrobbles) == 4
    assert [all(part in message for part in ("1 row of 4", "'99'", "s.csv", "a.csv")) for message in messages] == [True]
    with pytest.raises(RefusedError) as refused:
        load(S, "artist_id,artist_name\nx,X\n52,Fire\n")
    assert all(part in refused.value.message for part in ("s.csv", "a.csv", "2 rows of 3", "'51'", "'x'"))


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("1,51,x\n", ("s.csv:1: ", "header")),
        ("1,2,3,4,5\n", ("s.csv:1: ", "header")),
        ("1,51,3,13\n2,52,4,14\n", ("s.csv:1: ", "header")),
        ("benutzer;kuenstler;anzahl\n1;51;3\n2;51;3\n", ("s.csv:1: ", "header")),
        ("user_id,artist_id\n1,51\n", ("s.csv:1: ", "scrobbles")),
        ("user_id,artist_id,user_id,plays\n1,51,2,3\n", ("s.csv:1: ", "user_id")),
        ("user,artist,plays,count\n1,51,2,3\n", ("s.csv:1: ", "'plays'", "'count'")),
        ("", ("s.csv:1: ", "header")),
        ("\n\n", ("s.csv:1: ", "header")),
        (S.encode() + b"3\0,51,1\n", ("s.csv:5: ", "UTF-8")),
        (S.encode() + b"\xe9,51,1\n", ("s.csv:5: ", "UTF-8")),
        (S.replace("\n", "\r").encode() + b"\xe9,51,1\r", ("s.csv:5: ", "UTF-8")),
        ("1\t51\t3\n2\t51\t-4\n", ("s.csv:2: ", "scrobbles", "'-4'")),
        ("1\t51\t3\n2\t51\t4\t5\n", ("s.csv:2: ", "4 columns")),
        ("1\t51\t3\n\n2\t51\t4\n", ("s.csv:2: ", "blank")),
        ("u;artist;plays\n", ("s.csv:1: ", "user_id")),
    ],
)
def test_what_is_in_doubt_is_refused(load: Load, content: str | bytes, parts: tuple[str, ...]) -> None:
    """With the file, the line, what is wrong and what to do."""
    with pytest.raises(RefusedError) as refused:
        load(content, A)
    assert all(part in refused.value.message for part in parts)
    assert refused.value.hint


def test_of_two_columns_the_documented_name_counts(load: Load) -> None:
    """`scrobbles` beside `count`."""
    assert load("user_id,artist_id,count,scrobbles\n1,51,9,3\n", A).scrobbles.rows() == [("1", "51", 3)]


def test_an_artist_may_stand_twice_with_the_same_name(load: Load) -> None:
    """Nothing is in doubt then."""
    assert names(load(S, A + "51,Duran Duran\n")) == NAMES


def test_what_cannot_be_read(load: Load, tmp_path: Path) -> None:
    """A damaged archive, text in UTF-16 and a folder are errors of storage that name the path."""
    with pytest.raises(StorageError, match=r"s\.csv"):
        load(gzip.compress(S.encode())[:-9], A)
    with pytest.raises(StorageError, match=r"s\.csv.*UTF-16"):
        load(S.encode("utf-16"), A)
    with pytest.raises(StorageError, match=str(tmp_path)):
        load_scrobbles(tmp_path, tmp_path, print)


@pytest.mark.real
@pytest.mark.parametrize("case", ["20p-gz", "21m-float-user", "22a-cr-only"])
def test_cases(case: str) -> None:
    """Files that were refused or ended in an internal error are read without a word."""
    if not CASES.is_dir():
        pytest.skip(f"{CASES} is missing")
    messages: list[str] = []
    dataset = load_scrobbles(CASES / case / "s.csv", CASES / case / "a.csv", messages.append)
    assert messages == []
    assert dataset.scrobbles.join(dataset.artists, left_on="artist_id", right_on="id", how="anti").is_empty()
    assert dataset.scrobbles["user_id"].n_unique() == 60


ids = (
    st.text("abcXYZ0123 é日'-_.", min_size=1, max_size=6).map(str.strip).filter(lambda text: text and text[0].isalpha())
)


@given(
    rows=st.lists(st.tuples(ids, ids, st.integers(1, 10**9)), min_size=1, max_size=8, unique_by=lambda row: row[:2]),
    separator=st.sampled_from(",;|\t"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoted=st.booleans(),
    floats=st.booleans(),
)
def test_every_dialect_gives_the_same_scrobbles(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, int]],
    separator: str,
    end: str,
    quoted: bool,
    floats: bool,
) -> None:
    """Whatever the separator, line ends and quotes, and whether counts are floats."""
    folder = tmp_path_factory.mktemp("dialect")
    quote = '"' if quoted else ""
    lines = [("user", "artist", "plays"), *((user, artist, f"{count}{'.0' * floats}") for user, artist, count in rows)]
    text = end.join(separator.join(f"{quote}{cell}{quote}" for cell in line) for line in lines)
    (folder / "s.csv").write_bytes(text.encode())
    dataset = load_scrobbles(folder / "s.csv", folder / "s.csv", lambda _: None)
    assert dataset.scrobbles.rows() == rows
    assert set(dataset.artists["name"]) == {artist for _, artist, _ in rows}
    assert dataset.scrobbles.schema == {"user_id": pl.String, "artist_id": pl.String, "listens": pl.Int64}
