"""`recommend`: users in, tracks out."""

import io
import json
import os
import re
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli.artifacts import Draft, Origin, Store
from pozytywka_cli.artifacts.draft import CardText
from pozytywka_cli.commands.recommendations import because, user_id
from pozytywka_cli.families import registry
from pozytywka_cli.pipeline.versions import of_variant

from . import fake_recommend
from .fake_recommend import TRACKS, FakePredictor

CARD = CardText("?", "", "", "", "", {}, {})
ROW = ["user_id", "rank", "track_id", "track", "artist", "score", "because_kind", "because_id", "because_name"]


@pytest.fixture(autouse=True)
def _the_fake_family(monkeypatch):
    monkeypatch.setitem(registry.MODULES, "recommend", fake_recommend.__name__)
    monkeypatch.setattr(FakePredictor, "seen", [])


def save(artifacts: Path, variant: str, seed: int = 0, *, promote: bool = True) -> str:
    """Save a version that was trained as a variant; return its name."""
    store = Store(artifacts)
    draft = Draft(variant, lambda folder: (folder / "model.json").write_text("{}"), {}, [], CARD)
    name = store.save(Origin("recommend", variant, {}, seed, "cpu", None, []), draft).name
    if promote:
        store.promote("recommend", name)
    return name


@pytest.fixture(scope="module")
def artifacts(sampled, tmp_path_factory) -> Path:
    """A promoted version, and plays, which the first command makes."""
    folder = tmp_path_factory.mktemp("recommend") / "artifacts"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.MODULES, "recommend", fake_recommend.__name__)
        save(folder, "blend")
    return folder


@pytest.fixture
def recommend(pozytywka, sampled, artifacts):
    """Run the command over users 101 to 130."""
    return lambda *arguments: pozytywka(
        "-q", "recommend", "--data-dir", sampled, "--artifacts-dir", artifacts, *arguments
    )


@pytest.fixture
def typed(monkeypatch):
    """A function that replaces standard input by these bytes."""
    return lambda content: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def rows(answer) -> list[dict]:
    """The rows of a JSON answer, of which the envelope is checked."""
    found = json.loads(answer.out)
    assert (found["format"], found["command"]) == (1, "recommend")
    return found["rows"]


def test_a_line_for_each_track_off_a_terminal(recommend):
    """User, track id, track and artist, between tabs."""
    answer = recommend("101", "-n", "3")
    assert (answer.code, answer.err) == (0, "")
    assert [line.split("\t")[:2] for line in answer.out.splitlines()] == [["101", "t1"], ["101", "t2"], ["101", "t3"]]


def test_names_from_data_are_shown_literally(recommend):
    """Markup is no markup, and what a terminal would obey is escaped, a line feed and a tab too."""
    lines = [line.split("\t") for line in recommend("101").out.splitlines()]
    assert [line[2] for line in lines] == [
        "[b]Hold On[/b]",
        "\\x1b[31mred",
        "椎名\u3000林檎",
        "line\\nbreak",
        "Кино" * 100,
    ]
    assert [line[3] for line in lines] == ["Mogwai", "-lead", "Łona", "MØ", "Björk"]


def test_a_terminal_shows_a_table_for_each_user(recommend, monkeypatch):
    """One line for a track, whatever it is called; a user that was asked about twice has two tables."""
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    assert recommend("101", "101", "102").code == 0
    shown = re.sub(r"\x1b\[\d*m", "", terminal.getvalue())
    titles = [line for line in shown.splitlines() if "Recommended to user" in line]
    assert ["101" in title for title in titles] == [True, True, False]
    assert len(shown.splitlines()) == 3 * (3 + len(TRACKS))
    assert all(name in shown for name in ("[b]Hold On[/b]", "\\x1b[31mred", "artist [spunge]", "genre doom metal"))
    assert max(map(len, shown.splitlines())) <= 100


def test_a_narrow_terminal_cuts_no_id(recommend, monkeypatch):
    """It may be needed as input; names are cut."""
    track = ("0123456789ABCDEFGHIJKL", "Endless " * 20, "Endless " * 20, TRACKS[0][3])
    monkeypatch.setattr(fake_recommend, "TRACKS", [track])
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    assert recommend("101").code == 0
    lines = re.sub(r"\x1b\[\d*m", "", terminal.getvalue()).splitlines()
    assert len(lines) == 4
    assert track[0] in lines[-1]
    assert max(map(len, lines)) <= 80


def test_json_has_tidy_rows(recommend):
    """One for each track, flat, with what is as it is in the data."""
    found = rows(recommend("102", "101", "-n", "2", "--json"))
    assert [(row["user_id"], row["rank"]) for row in found] == [(102, 1), (102, 2), (101, 1), (101, 2)]
    assert list(found[0]) == [*ROW, "variant"]
    assert found[1]["track"] == "\x1b[31mred"
    assert (found[1]["because_kind"], found[1]["because_name"], found[1]["variant"]) == ("artist", "[spunge]", "blend")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ({"kind": "play", "id": "t1", "name": "Hold On"}, "played Hold On"),
        ({"kind": "play", "id": "t1", "name": None}, "played t1"),
        ({"kind": "artist", "id": "a1", "name": "Mogwai {0}"}, "artist Mogwai {0}"),
        ({"kind": "genre", "id": None, "name": "doom metal"}, "genre doom metal"),
        ({"kind": "popularity", "id": None, "name": None}, "popular"),
        ({"kind": "of a later version", "id": None, "name": None}, "of a later version"),
    ],
)
def test_reasons_are_put_into_words(reason, words):
    """The name of what a recommendation rests on, its id where it has none."""
    assert because(reason) == words


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(["{}", " {}\r", "\t{} "]))
def test_every_integer_of_64_bits_is_an_id(value, form):
    """With white space around it."""
    assert user_id(form.format(value)) == value


@given(st.text() | st.integers().map(str))
def test_whatever_is_read_as_an_id_fits_into_a_frame(text):
    """Anything else is none, and no error."""
    value = user_id(text)
    assert value is None or pl.Series([value], dtype=pl.Int64)[0] == int(text)


def test_the_options_become_fields_of_every_request(recommend):
    """Of all users, who are asked about together."""
    flags = ["-n", "7", "--allow-heard", "--diversity", "0.5", "--tail", "3"]
    likes = ["--like-track", "t1", "--like-artist", "Björk", "--genres", "folk, jazz"]
    assert recommend("101", "102", *flags, *likes).code == 0
    (asked,) = FakePredictor.seen
    fields = {"count": 7, "allow_heard": True, "diversity": 0.5, "tail": 3}
    fields |= {"like_track": "t1", "like_artist": "Björk", "genres": "folk, jazz"}
    assert asked.to_dicts() == [{"user_id": user, **fields} for user in (101, 102)]


def test_options_that_are_not_given_are_null(recommend):
    """So that the predictor decides; the others have their defaults."""
    assert recommend("101").code == 0
    (asked,) = FakePredictor.seen
    fields = {"count": 20, "allow_heard": False, "diversity": 0.2, "tail": None}
    likes = dict.fromkeys(("like_track", "like_artist", "genres"))
    assert asked.to_dicts() == [{"user_id": 101, **fields, **likes}]
    assert asked.schema["tail"] == pl.Int64


def test_an_unknown_user_exits_3_with_a_way_on(recommend):
    """The error names the user and the options that need no history; with one of them there is an answer."""
    answer = recommend("7")
    assert (answer.code, answer.out) == (3, "")
    error, hint = answer.err.splitlines()
    assert error.startswith("error: ")
    assert "user 7" in error
    assert "--genres" in hint
    assert recommend("7", "--genres", "folk").code == 0


def test_an_unknown_artist_exits_3(recommend):
    """The options that need no history are no way on there."""
    answer = recommend("7", "--like-artist", "nobody")
    assert (answer.code, answer.out) == (3, "")
    assert '"nobody"' in answer.err
    assert "--genres" not in answer.err


def test_the_known_users_are_answered_beside_unknown_ones(recommend):
    """Each unknown one is a warning, and one of the problems of --json; the exit code is 3 all the same."""
    answer = recommend("7", "101", "8", "-n", "1")
    assert (answer.code, len(answer.out.splitlines())) == (3, 1)
    first, second, error, _ = answer.err.splitlines()
    assert first.startswith("warning: ")
    assert "user 7" in first
    assert "user 8" in second
    assert error.startswith("error: 2 of 3 ")
    found = json.loads(recommend("7", "101", "--json").out)
    assert {row["user_id"] for row in found["rows"]} == {101}
    ((problem, text),) = [(one["user_id"], one["problem"]) for one in found["problems"]]
    assert problem == 7
    assert "user 7" in text


def test_users_come_from_standard_input(recommend, typed):
    """One a line with any ending, in the place of -; one of them asked about alone is answered alike."""
    typed(b"\xef\xbb\xbf103\r\n\n 104 \n-5\n105")
    answer = recommend("101", "-", "102", "-n", "1", "--genres", "folk")
    assert [line.split("\t")[0] for line in answer.out.splitlines()] == ["101", "103", "104", "-5", "105", "102"]
    assert answer.code == 0


def test_a_line_that_is_no_id_is_a_warning(recommend, typed):
    """With its number; blank lines count, and the other lines are answered."""
    typed(b"101\n\nmetallica\n1.5\n\xff\n99999999999999999999\n" + b"9" * 5000 + b"\n102\n7\n")
    answer = recommend("-", "-n", "1")
    assert answer.code == 3
    assert [line.split("\t")[0] for line in answer.out.splitlines()] == ["101", "102"]
    *warnings, error, hint = answer.err.splitlines()
    assert [warning.split('"')[0] for warning in warnings[:-1]] == [f"warning: -:{line}: " for line in (3, 4, 5, 6, 7)]
    assert '"metallica"' in warnings[0]
    assert "user 7" in warnings[-1]
    assert error.startswith("error: 6 of 8 ")
    assert "--genres" in hint
    assert max(map(len, answer.err.splitlines())) < 200


def test_lines_that_are_no_ids_need_no_history(recommend, typed):
    """The options for users without one are no help where no user is named; --json lists the lines too."""
    typed(b"nobody\n")
    answer = recommend("-", "--json")
    assert answer.code == 3
    assert [problem["user_id"] for problem in json.loads(answer.out)["problems"]] == [None]
    assert "--genres" not in answer.err


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_an_empty_standard_input_has_an_empty_answer(recommend, typed, flags):
    """As that of a job that had nothing to do."""
    typed(b"\n")
    answer = recommend("-", *flags)
    assert (answer.code, answer.err) == (0, "")
    assert rows(answer) == [] if flags else answer.out == ""


def test_users_are_answered_as_they_come(recommend, monkeypatch, capsys):
    """The first before the second is read, and lines that arrive together are asked about together."""

    class Slowly(io.BytesIO):
        def read1(self, size=-1):
            chunks = {0: b"101\n", 1: b"102\n103\n", 2: b""}
            if self.tell() == 1:
                assert capsys.readouterr().out.startswith("101\tt1\t")
            return chunks[self.seek(self.tell() + 1) - 1]

    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": Slowly()}))
    assert [line.split("\t")[0] for line in recommend("-", "-n", "1").out.splitlines()] == ["102", "103"]
    assert [asked["user_id"].to_list() for asked in FakePredictor.seen if len(asked)] == [[101], [102, 103]]


def test_a_closed_standard_input_is_a_usage_error(recommend, monkeypatch):
    """As after `<&-`."""
    monkeypatch.setattr(sys, "stdin", None)
    answer = recommend("-")
    assert (answer.code, answer.out) == (2, "")
    assert "standard input is closed" in answer.err


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_all_users_go_into_a_file(recommend, tmp_path, suffix):
    """In one batch; nothing is printed. In a CSV the reason is three columns."""
    target = tmp_path / f"out.{suffix}"
    answer = recommend("--all-users", "-n", "2", "-o", target)
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    read = {"parquet": pl.read_parquet, "csv": pl.read_csv, "jsonl": pl.read_ndjson}[suffix](target)
    assert read["user_id"].to_list() == [user for user in range(101, 131) for _ in range(2)]
    assert len([asked for asked in FakePredictor.seen if len(asked)]) == 1
    flat = [*ROW, "variant"]
    assert read.columns == (flat if suffix == "csv" else [*ROW[:6], "because", "variant"])
    reason = read.filter(user_id=101, rank=2)
    kind = reason["because_kind"] if suffix == "csv" else reason["because"].struct.field("kind")
    assert kind.to_list() == ["artist"]


def test_all_users_are_printed_without_a_file(recommend):
    """Also as JSON."""
    assert len(recommend("--all-users", "-n", "1").out.splitlines()) == 30
    assert len(rows(recommend("--all-users", "-n", "1", "--json"))) == 30


def test_users_go_into_a_file_too(recommend, typed, tmp_path):
    """Those that can be answered; nobody at all makes a table without rows."""
    assert recommend("101", "7", "-n", "1", "-o", tmp_path / "a.csv").code == 3
    assert pl.read_csv(tmp_path / "a.csv")["user_id"].to_list() == [101]
    typed(b"")
    assert recommend("-", "-o", tmp_path / "b.parquet").code == 0
    assert len(pl.read_parquet(tmp_path / "b.parquet")) == 0


def test_one_problem_of_all_users_is_one_warning(recommend):
    """It is not about a user."""
    answer = recommend("--all-users", "--like-artist", "nobody")
    assert (answer.code, answer.out) == (3, "")
    warning, error, _ = answer.err.splitlines()
    assert '"nobody"' in warning
    assert error.startswith("error: 30 of 30 ")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], ["USER", "--all-users"]),
        (["-n", "3", "--genres", "folk"], ["USER"]),
        (["--all-users", "101"], ["--all-users", "USER"]),
        (["metallica"], ['"metallica"']),
        (["101", "1e3"], ['"1e3"']),
        (["9223372036854775808"], ['"9223372036854775808"']),
        (["-7"], ["--"]),
        (["101", "-n", "0"], ["-n"]),
        (["101", "--diversity", "1.5"], ["--diversity"]),
        (["101", "-n", "3", "--tail", "4"], ["--tail 4"]),
        (["101", "--genres", " , "], ["--genres"]),
        (["101", "--like-track", ""], ["--like-track"]),
        (["101", "--variant", "magic"], ["'magic'", "blend, popularity"]),
        (["--all-users", "-o", "out.txt"], ["-o out.txt"]),
    ],
)
def test_a_wrong_command_line_is_refused_before_anything_is_read(recommend, arguments, named):
    """Exit 2; the message names what is wrong."""
    answer = recommend(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert all(text in answer.err for text in named)
    assert FakePredictor.seen == []


def test_bytes_of_the_command_line_that_are_no_utf8_become_a_replacement(recommend):
    """As in other names."""
    assert recommend("101", "--like-artist", os.fsdecode(b"Bj\xf6rk")).code == 0
    assert FakePredictor.seen[0]["like_artist"].to_list() == ["Bj�rk"]


def test_without_a_promoted_version_the_exit_code_is_4(pozytywka, tmp_path):
    """Before the data, which are not there, are read."""
    answer = pozytywka("recommend", "101", "--artifacts-dir", tmp_path / "a", "--data-dir", tmp_path / "d")
    assert answer.code == 4
    assert "train recommend" in answer.err


def test_a_variant_that_is_not_promoted_answers(pozytywka, sampled, tmp_path):
    """Where no version is of it, the exit code is 4, with the command that trains one."""
    save(tmp_path, "blend")
    command = ["recommend", "101", "-q", "--data-dir", sampled, "--artifacts-dir", tmp_path]
    answer = pozytywka(*command, "--variant", "popularity")
    assert answer.code == 4
    assert "pozytywka train recommend --variant popularity --no-promote" in answer.err
    save(tmp_path, "popularity", promote=False)
    found = pozytywka(*command, "--variant", "popularity", "--json")
    assert (found.code, found.err) == (0, "")
    assert {row["variant"] for row in rows(found)} == {"popularity"}
    assert {row["variant"] for row in rows(pozytywka(*command, "--json"))} == {"blend"}


def test_the_newest_version_of_a_variant_is_taken(tmp_path):
    """But the promoted one if that is of the variant; and one with a damaged manifest does not hide an older one."""
    store = Store(tmp_path)
    old, new = sorted(save(tmp_path, "popularity", seed, promote=False) for seed in (1, 2))
    assert of_variant(store, "recommend", "popularity").name == new
    store.promote("recommend", old)
    assert of_variant(store, "recommend", "popularity").name == old
    save(tmp_path, "blend")
    (tmp_path / "recommend" / "versions" / new / "manifest.json").write_text("{}")
    assert of_variant(store, "recommend", "popularity").name == old


def test_answers_of_a_promoted_baseline_are_announced(pozytywka, sampled, tmp_path):
    """In a warning, which -q shows too; who asks for the baseline knows."""
    save(tmp_path / "a", "popularity")
    where = ["--data-dir", sampled, "--artifacts-dir", tmp_path / "a", "-q"]
    answer = pozytywka("recommend", "101", *where)
    assert answer.code == 0
    assert answer.err.startswith("warning: ")
    assert "popularity" in answer.err
    assert pozytywka("recommend", "101", "--variant", "popularity", *where).err == ""


def test_predict_answers_the_usual_requests_into_its_file(pozytywka, sampled, artifacts):
    """`predict` alone runs every promoted family, this one too."""
    where = ["--data-dir", sampled, "--artifacts-dir", artifacts]
    assert pozytywka("predict", *where).code == 0
    written = pl.read_parquet(artifacts / "predictions" / "recommend.parquet")
    assert written["user_id"].n_unique() == 30
    assert written.schema["because"] == fake_recommend.REASON


def test_predict_reads_requests(pozytywka, sampled, artifacts, tmp_path):
    """JSONL with some of the fields in, a line of JSON for each track out; a row of an unknown user says so."""
    (tmp_path / "users.jsonl").write_text('{"user_id": 101, "count": 2}\n{"user_id": 7, "count": 2}\n')
    where = ["--data-dir", sampled, "--artifacts-dir", artifacts]
    found = [
        json.loads(line)
        for line in pozytywka("predict", "recommend", tmp_path / "users.jsonl", *where).out.splitlines()
    ]
    assert [row["user_id"] for row in found] == [101, 101, 7]
    assert found[1]["because"]["name"] == "[spunge]"
    assert found[2]["problem"]
