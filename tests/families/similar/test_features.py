"""Listens from plays and from two CSV files."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError, StorageError
from pozytywka_cli.families.similar.features import from_plays, from_scrobbles

ROWS = ["u1,x,3", "u1,y,1", "u2,x,2", "u1,x,4", "u3,z,7"]
RANGE = " is not a whole number from 1 to 1000000000"
NAMES = ["x,[spunge]", 'y,""', 'z,"Earth, Wind & Fire"', "w,"]


def written(folder: Path, rows: list[str], names: list[str] = NAMES) -> tuple[Path, Path]:
    scrobbles, artists = folder / "scrobbles.csv", folder / "artists.csv"
    scrobbles.write_text("\n".join(["user_id,artist_id,scrobbles", *rows]) + "\n", encoding="utf-8")
    artists.write_text("\n".join(["artist_id,artist_name", *names]) + "\n", encoding="utf-8")
    return scrobbles, artists


def test_rows_of_one_user_and_artist_are_summed(tmp_path):
    """u1 played x three and four times."""
    listens = from_scrobbles(*written(tmp_path, ROWS), print)
    assert listens.counts.toarray().tolist() == [[7, 1, 0], [2, 0, 0], [0, 0, 7]]
    assert listens.listeners.tolist() == [2, 1, 1]


def test_rows_that_are_summed_are_told(tmp_path):
    """How many, and where the first of them stands; without any, nothing."""
    said: list[str] = []
    scrobbles, artists = written(tmp_path, [*ROWS, "u2,x,1", "u3,x,1"])
    from_scrobbles(scrobbles, artists, said.append)
    first = "the first of 2 rows whose user and artist stand on an earlier line too: counts are summed."
    assert said == [f"{scrobbles}:5: {first}"]
    from_scrobbles(*written(tmp_path, ROWS[:3]), said.append)
    assert len(said) == 1


def test_an_artist_without_a_name_is_called_by_its_id(tmp_path):
    """Both an empty name, quoted or not, and an artist that the list of names lacks."""
    listens = from_scrobbles(*written(tmp_path, [*ROWS, "u3,w,1", "u3,unlisted,1"]), print)
    assert listens.artist_ids == ["unlisted", "w", "x", "y", "z"]
    assert listens.names == ["unlisted", "w", "[spunge]", "y", "Earth, Wind & Fire"]


def test_names_of_artists_that_nobody_heard_are_kept_apart(tmp_path):
    """To tell that they are there; one without a name has none to ask for."""
    listens = from_scrobbles(*written(tmp_path, ROWS, [*NAMES, "v,Nobody's"]), print)
    assert listens.unheard == ["Nobody's"]


def test_inputs_tell_what_was_read(tmp_path):
    """Names, bytes and rows of both files."""
    scrobbles, artists = written(tmp_path, ROWS)
    inputs = from_scrobbles(scrobbles, artists, print).inputs
    assert [(i.name, i.bytes, i.rows) for i in inputs] == [
        ("scrobbles.csv", scrobbles.stat().st_size, 5),
        ("artists.csv", artists.stat().st_size, 4),
    ]


def test_what_comes_through_a_pipe_is_known_by_its_bytes(tmp_path):
    """Which can be read once; other data are another input."""
    found = []
    for rows in (ROWS, ROWS[:3]):
        scrobbles, artists = written(tmp_path, rows)
        content, pipe = scrobbles.read_bytes(), tmp_path / f"pipe{len(rows)}"
        os.mkfifo(pipe)
        writer = Thread(target=pipe.write_bytes, args=[content])
        writer.start()
        found.append(from_scrobbles(pipe, artists, print).inputs[0])
        writer.join()
        assert (found[-1].bytes, found[-1].sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert found[0].sha256 != found[1].sha256


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(rows=st.permutations(ROWS), names=st.permutations(NAMES))
def test_the_order_of_lines_does_not_matter(tmp_path, rows, names):
    """The same matrix, bit for bit, and the same names."""
    first, again = (
        from_scrobbles(*written(tmp_path, ROWS), print),
        from_scrobbles(*written(tmp_path, rows, names), print),
    )
    assert (first.counts != again.counts).nnz == 0
    assert first.counts.indices.tolist() == again.counts.indices.tolist()
    assert (first.artist_ids, first.names) == (again.artist_ids, again.names)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("u9,x,0", f"column scrobbles: '0'{RANGE}"),
        ("u9,x,-3", f"column scrobbles: '-3'{RANGE}"),
        ("u9,x,1.5", f"column scrobbles: '1.5'{RANGE}"),
        ("u9,x,many", f"column scrobbles: 'many'{RANGE}"),
        ("u9,x,1000000001", f"column scrobbles: '1000000001'{RANGE}"),
        ("u9,x,99999999999999999999", f"column scrobbles: '99999999999999999999'{RANGE}"),
        ("u9,x", "column scrobbles: is empty"),
        (",x,1", "column user_id: is empty"),
        ("u9,,1", "column artist_id: is empty"),
        ("", "a blank line"),
        ('"",x,1', "column user_id: is empty"),
        ('u9,"",1', "column artist_id: is empty"),
        ('u9,x,""', "column scrobbles: is empty"),
        ("u9,x,1,2", "4 columns in place of 3"),
        ('u9,"x" y,1', "not CSV: ',' expected after '\"'"),
    ],
)
def test_a_bad_line_is_named(tmp_path, row, problem):
    """With its file, its line and its column."""
    scrobbles, artists = written(tmp_path, [*ROWS, row, "u9,y,1"])
    with pytest.raises(RefusedError) as refused:
        from_scrobbles(scrobbles, artists, print)
    assert refused.value.message == f"{scrobbles}:7: {problem}"
    assert refused.value.hint == "Mend or remove that line, and run again."


def test_lines_are_counted_through_quoted_line_breaks(tmp_path):
    """The bad row is the third one, and starts on line 5."""
    scrobbles, artists = written(tmp_path, ['"u\n1",x,1', "u2,x,1", "u3,x,0"])
    with pytest.raises(RefusedError, match=r"scrobbles\.csv:5: "):
        from_scrobbles(scrobbles, artists, print)


def test_an_artist_named_twice_is_refused(tmp_path):
    """Which name counts would depend on the order of lines."""
    scrobbles, artists = written(tmp_path, ROWS, [*NAMES, "x,Another"])
    with pytest.raises(RefusedError) as refused:
        from_scrobbles(scrobbles, artists, print)
    assert refused.value.message == f"{artists}:6: column artist_id: 'x' stands on an earlier line too"


def test_another_header_is_refused(tmp_path):
    """The hint tells the right one."""
    scrobbles, artists = written(tmp_path, ROWS)
    with pytest.raises(RefusedError) as refused:
        from_scrobbles(artists, scrobbles, print)
    assert refused.value.message == f"{artists}:1: the header is another"
    assert refused.value.hint == "It must be 'user_id,artist_id,scrobbles'."


def test_a_header_may_be_quoted(tmp_path):
    """As spreadsheets write it; so may the file end in blank lines."""
    scrobbles, artists = written(tmp_path, [*ROWS, "", ""])
    scrobbles.write_text(scrobbles.read_text().replace("user_id,artist_id,", '"user_id","artist_id",'))
    assert from_scrobbles(scrobbles, artists, print).listeners.tolist() == [2, 1, 1]


@pytest.mark.parametrize("row", ['y,12" Mix', 'y,Mix 12"', 'y,7" and 12" Mix"es'])
def test_a_quote_within_a_value_is_named_by_its_line(tmp_path, row):
    """After one that is quoted and spans two lines."""
    scrobbles, artists = written(tmp_path, ROWS, ['x,"A ""name""\nof two"', row, "z,Z"])
    with pytest.raises(RefusedError) as refused:
        from_scrobbles(scrobbles, artists, print)
    assert refused.value.message == f"{artists}:4: not CSV: a quote in a value that does not begin with one"
    assert refused.value.hint.startswith("Write such a value in quotes")


def test_text_that_is_not_utf8_is_refused(tmp_path):
    """Latin-1, on line 3."""
    scrobbles, artists = written(tmp_path, ROWS)
    artists.write_bytes("artist_id,artist_name\nx,X\ny,Björk\n".encode("latin-1"))
    with pytest.raises(RefusedError) as refused:
        from_scrobbles(scrobbles, artists, print)
    assert refused.value.message == f"{artists}:3: the text is not UTF-8"


def test_a_missing_file_is_a_storage_error(tmp_path):
    """Named."""
    with pytest.raises(StorageError) as missing:
        from_scrobbles(tmp_path / "none.csv", tmp_path / "none.csv", print)
    assert missing.value.message == f"cannot read {tmp_path / 'none.csv'}: No such file or directory"


def test_a_file_without_rows_is_refused(tmp_path):
    """A header alone is nothing to learn from."""
    with pytest.raises(RefusedError, match="no plays to learn from"):
        from_scrobbles(*written(tmp_path, []), print)


def test_plays_are_counted_per_user_and_artist():
    """Through the tracks' artists, whatever the type of a user's id."""
    plays = pl.DataFrame({"user_id": [2, 1, 2, 2], "track_id": ["t1", "t1", "t2", "t3"]})
    dataset = Dataset(
        plays=plays.with_columns(started_at=pl.lit(datetime(2024, 1, 1, tzinfo=UTC))),
        purchases=pl.DataFrame(),
        users=pl.DataFrame(),
        artists=pl.DataFrame({"id": ["x", "y"], "name": ["X", None]}),
        tracks=pl.DataFrame({"id": ["t1", "t2", "t3"], "id_artist": ["x", "x", "y"]}),
    )
    listens = from_plays(dataset)
    assert listens.counts.toarray().tolist() == [[1, 0], [2, 1]]
    assert listens.names == ["X", "y"]
