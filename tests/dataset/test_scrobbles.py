"""Scrobbles from two CSV files."""

import hashlib
import os
from pathlib import Path
from threading import Thread

import pytest

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.scrobbles import load_scrobbles
from pozytywka_cli.errors import RefusedError, StorageError

ROWS = ["u1,x,3", "u1,y,1", "u2,x,2", "u1,x,4", "u3,z,7"]
NAMES = ["x,[spunge]", 'y,""', 'z,"Earth, Wind & Fire"', "w,"]


def written(folder: Path, rows: list[str], names: list[str] = NAMES) -> tuple[Path, Path]:
    scrobbles, artists = folder / "scrobbles.csv", folder / "artists.csv"
    scrobbles.write_text("\n".join(["user_id,artist_id,scrobbles", *rows]) + "\n", encoding="utf-8")
    artists.write_text("\n".join(["artist_id,artist_name", *names]) + "\n", encoding="utf-8")
    return scrobbles, artists


def pairs(dataset: Dataset) -> list[tuple]:
    """The scrobbles as rows."""
    return dataset.scrobbles.rows()


def test_repeated_rows_are_reported(tmp_path):
    """Their number, and the line of the first one; without any, nothing."""
    messages: list[str] = []
    scrobbles, artists = written(tmp_path, [*ROWS, "u2,x,1", "u3,x,1"])
    load_scrobbles(scrobbles, artists, messages.append)
    (message,) = messages
    assert message.startswith(f"{scrobbles}:5: ")
    assert "2 rows" in message
    load_scrobbles(*written(tmp_path, ROWS[:3]), messages.append)
    assert len(messages) == 1


def test_inputs_describe_both_files(tmp_path):
    """By name, bytes and rows."""
    scrobbles, artists = written(tmp_path, ROWS)
    inputs = load_scrobbles(scrobbles, artists, print).inputs
    assert [(i.name, i.bytes, i.rows) for i in inputs] == [
        ("scrobbles.csv", scrobbles.stat().st_size, 5),
        ("artists.csv", artists.stat().st_size, 4),
    ]


def test_a_pipe_is_read_once(tmp_path):
    """Its input is described by the bytes that came through; other data are another input."""
    found = []
    for rows in (ROWS, ROWS[:3]):
        scrobbles, artists = written(tmp_path, rows)
        content, pipe = scrobbles.read_bytes(), tmp_path / f"pipe{len(rows)}"
        os.mkfifo(pipe)
        writer = Thread(target=pipe.write_bytes, args=[content])
        writer.start()
        found.append(load_scrobbles(pipe, artists, print).inputs[0])
        writer.join()
        assert (found[-1].bytes, found[-1].sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert found[0].sha256 != found[1].sha256


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("u9,x,-3", ("scrobbles", "'-3'")),
        ("u9,x,1.5", ("scrobbles", "'1.5'")),
        ("u9,x,many", ("scrobbles", "'many'")),
        ("u9,x,1000000001", ("scrobbles", "'1000000001'")),
        ("u9,x,99999999999999999999", ("scrobbles", "'99999999999999999999'")),
        ("u9,x", ("scrobbles", "empty")),
        (",x,1", ("user_id", "empty")),
        ("u9,,1", ("artist_id", "empty")),
        ("", ("blank",)),
        ('"",x,1', ("user_id", "empty")),
        ('u9,"",1', ("artist_id", "empty")),
        ('u9,x,""', ("scrobbles", "empty")),
        ("u9,x,1,2", ("4 columns", "3")),
        ('u9,"x" y,1', ("not CSV",)),
    ],
)
def test_a_bad_line_is_named(tmp_path, row, parts):
    """With its file, its line, its column and its value."""
    scrobbles, artists = written(tmp_path, [*ROWS, row, "u9,y,1"])
    with pytest.raises(RefusedError) as refused:
        load_scrobbles(scrobbles, artists, print)
    assert refused.value.message.startswith(f"{scrobbles}:7: ")
    assert all(part in refused.value.message for part in parts)
    assert refused.value.hint


def test_lines_are_counted_through_quoted_line_breaks(tmp_path):
    """The bad row is the third one, and starts on line 5."""
    scrobbles, artists = written(tmp_path, ['"u\n1",x,1', "u2,x,1", "u3,x,-1"])
    with pytest.raises(RefusedError, match=r"scrobbles\.csv:5: "):
        load_scrobbles(scrobbles, artists, print)


def test_an_artist_named_twice_is_refused(tmp_path):
    """Which name counts would depend on the order of lines."""
    scrobbles, artists = written(tmp_path, ROWS, [*NAMES, "x,Another"])
    with pytest.raises(RefusedError) as refused:
        load_scrobbles(scrobbles, artists, print)
    assert refused.value.message.startswith(f"{artists}:6: column artist_id: 'x'")


def test_another_header_is_refused(tmp_path):
    """The hint shows the right one."""
    scrobbles, artists = written(tmp_path, ROWS)
    with pytest.raises(RefusedError) as refused:
        load_scrobbles(artists, scrobbles, print)
    assert refused.value.message.startswith(f"{artists}:1: ")
    assert "user_id,artist_id,scrobbles" in refused.value.hint


def test_a_header_may_be_quoted(tmp_path):
    """As spreadsheets write it; so may the file end in blank lines."""
    scrobbles, artists = written(tmp_path, [*ROWS, "", ""])
    scrobbles.write_text(scrobbles.read_text().replace("user_id,artist_id,", '"user_id","artist_id",'))
    assert pairs(load_scrobbles(scrobbles, artists, print)) == pairs(load_scrobbles(*written(tmp_path, ROWS), print))


@pytest.mark.parametrize("row", ['y,12" Mix', 'y,Mix 12"', 'y,7" and 12" Mix"es'])
def test_a_quote_within_a_value_is_named_by_its_line(tmp_path, row):
    """After one that is quoted and spans two lines."""
    scrobbles, artists = written(tmp_path, ROWS, ['x,"A ""name""\nof two"', row, "z,Z"])
    with pytest.raises(RefusedError) as refused:
        load_scrobbles(scrobbles, artists, print)
    assert refused.value.message.startswith(f"{artists}:4: not CSV: ")
    assert "quotes" in refused.value.hint


def test_text_that_is_not_utf8_is_refused(tmp_path):
    """Latin-1, on line 3."""
    scrobbles, artists = written(tmp_path, ROWS)
    artists.write_bytes("artist_id,artist_name\nx,X\ny,Björk\n".encode("latin-1"))
    with pytest.raises(RefusedError) as refused:
        load_scrobbles(scrobbles, artists, print)
    assert refused.value.message.startswith(f"{artists}:3: ")
    assert "UTF-8" in refused.value.message


def test_a_missing_file_is_a_storage_error(tmp_path):
    """Named."""
    with pytest.raises(StorageError) as missing:
        load_scrobbles(tmp_path / "none.csv", tmp_path / "none.csv", print)
    assert str(tmp_path / "none.csv") in missing.value.message
