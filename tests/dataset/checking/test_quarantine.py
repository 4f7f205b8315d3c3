"""Bad lines set aside as they were: good + bad = all."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl

from pozytywka_cli.dataset.checking import quarantine
from pozytywka_cli.dataset.checking.validate import Checked

BAD = [b'{"id": "a\xff"}', b"", b'{"id": "a9", "name": 7, "genres": []}\r', b"[1]\r", b'\xef\xbb\xbf{"id": "b"}', b" {"]


def test_bad_lines_are_kept_byte_for_byte(
    line: Callable[..., str], folder: Callable[..., Path], checked: Callable[..., Checked], tmp_path: Path
) -> None:
    """Invalid UTF-8, carriage returns and all; reasons stand line by line beside them; good + bad = all."""
    good = [line("artists", id=f'"a{number}"', name=f'"{number}"').encode() for number in range(len(BAD))]
    lines = [one for pair in zip(good, BAD, strict=True) for one in pair]
    place = folder(artists=lines)
    (place / "artists-2.jsonl.gz").write_bytes(gzip.compress(b'"x"\n' + line("artists", id='"b"').encode() + b"\n{"))
    counts = quarantine.write(checked(place), tmp_path / "q")
    assert counts == {"users": 0, "artists": 8, "tracks": 0, "sessions": 0, "track_storage": 0}
    assert (tmp_path / "q/bad/artists.jsonl").read_bytes() == b"".join(one + b"\n" for one in [b'"x"', b"{", *BAD])
    reasons = [json.loads(text) for text in (tmp_path / "q/bad/artists.reasons.jsonl").read_text().splitlines()]
    gz, plain = str(place / "artists-2.jsonl.gz"), str(place / "artists.jsonl")
    assert reasons == [
        {"file": gz, "line": 1, "rules": ["json"]},
        {"file": gz, "line": 3, "rules": ["json"]},
        {"file": plain, "line": 2, "rules": ["json"]},
        {"file": plain, "line": 4, "rules": ["json"]},
        {"file": plain, "line": 6, "rules": ["type"]},
        {"file": plain, "line": 8, "rules": ["json"]},
        {"file": plain, "line": 10, "rules": ["json"]},
        {"file": plain, "line": 12, "rules": ["json"]},
    ]
    kept = pl.read_parquet(tmp_path / "q/good/artists.parquet")["id"].to_list()
    assert kept == ["b", *(f"a{number}" for number in range(len(BAD)))]
    assert len(kept) + 8 == checked(place).readings["artists"].lines


def test_every_rule_of_a_line_is_a_reason(
    line: Callable[..., str], folder: Callable[..., Path], checked: Callable[..., Checked], tmp_path: Path
) -> None:
    """A line that breaks several rules stands once, with each of them; a warning sets nothing aside."""
    bad = line("tracks", name="1", key="12", energy="7", release_date='"soon"', x="1")
    place = folder(tracks=[line("tracks"), bad, line("tracks", id='"t2"', name="null")])
    counts = quarantine.write(checked(place), tmp_path / "q")
    assert counts["tracks"] == 1
    assert (tmp_path / "q/bad/tracks.jsonl").read_text() == bad + "\n"
    assert json.loads((tmp_path / "q/bad/tracks.reasons.jsonl").read_text()) == {
        "file": str(place / "tracks.jsonl"),
        "line": 2,
        "rules": ["key", "range", "time", "type"],
    }


def test_good_lines_read_again_clean(
    line: Callable[..., str], folder: Callable[..., Path], checked: Callable[..., Checked], tmp_path: Path
) -> None:
    """`good/` is a data folder without errors, and its rows are those that were good."""
    lines = [line("sessions"), line("sessions", timestamp="5"), line("sessions", event_type='"advertisment"'), "?"]
    before = checked(folder(sessions=lines, users=[line("users"), line("users")]))
    quarantine.write(before, tmp_path / "q")
    after = checked(tmp_path / "q" / "good")
    assert after.violations == []
    for name in before.readings:
        assert after.good(name).equals(before.good(name))
        assert len(before.good(name)) + len(before.bad(name)) == before.readings[name].lines


def test_without_bad_lines_the_files_are_empty(
    folder: Callable[..., Path], checked: Callable[..., Checked], tmp_path: Path
) -> None:
    """Every table that was read has its three files; nothing else is written, no temporary file stays."""
    quarantine.write(checked(folder(track_storage=None)), tmp_path / "q")
    sizes = {str(path.relative_to(tmp_path / "q")): path.stat().st_size for path in (tmp_path / "q").glob("*/*")}
    tables = ("artists", "sessions", "tracks", "users")
    bad = {f"bad/{table}{kind}.jsonl": 0 for table in tables for kind in ("", ".reasons")}
    assert {name: size for name, size in sizes.items() if name.startswith("bad/")} == bad
    assert sorted(name for name in sizes if name not in bad) == [f"good/{table}.parquet" for table in tables]


def test_bad_rows_of_parquet(folder: Callable[..., Path], checked: Callable[..., Checked], tmp_path: Path) -> None:
    """Rows of a Parquet file are set aside as JSON lines, with their row numbers."""
    place = folder(artists=None)
    frame = pl.DataFrame(
        {"id": ["a1", "a1", "", "a2"], "name": ["A", "B\n", "C", "D"], "genres": [["x"], [], [], None]}
    )
    frame.write_parquet(place / "artists.parquet")
    counts = quarantine.write(checked(place), tmp_path / "q")
    assert counts["artists"] == 2
    assert (tmp_path / "q/bad/artists.jsonl").read_bytes() == (
        b'{"id":"a1","name":"B\\n","genres":[]}\n{"id":"","name":"C","genres":[]}\n'
    )
    reasons = [json.loads(text) for text in (tmp_path / "q/bad/artists.reasons.jsonl").read_text().splitlines()]
    assert [(reason["line"], reason["rules"]) for reason in reasons] == [(2, ["key"]), (3, ["required"])]
    assert checked(tmp_path / "q/good").good("artists")["name"].to_list() == ["A", "D"]
