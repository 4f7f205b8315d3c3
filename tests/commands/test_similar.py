"""`similar`: names in, the most similar artists out."""

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pozytywka_cli.artifacts import Draft, Origin, Store
from pozytywka_cli.families.similar import card
from pozytywka_cli.families.similar.models.factors import Factors
from pozytywka_cli.families.similar.settings import SimilarSettings

NAMES = ["The Ocean", "Ocean", "Rosetta", "Cult Of Luna", "Björk", "Sigur Rós", "Metallica", "Кино"]
NAMES += ["[spunge]", "[/b]", "\x1b[31mred", "-lead", "Łona", "Dona", "MØ", "椎名\u3000林檎"]


def stored(folder: Path, names: list[str], factors: int, variant: str = "als") -> Path:
    """Artifacts whose artists, the first with the most listeners, each lie a little further from the first."""
    angles = np.linspace(0, 1.5, len(names))
    rows = np.ones((len(names), 1)) if factors == 1 else np.column_stack([np.cos(angles), np.sin(angles)])
    ids = [f"id {place}" for place in range(len(names))]
    model = Factors.of(rows.astype(np.float32), np.arange(len(names))[::-1] + 3, ids, names)
    store = Store(folder)
    draft = Draft(variant, model.save, {}, [], card.text(variant, SimilarSettings()))
    store.promote("similar", store.save(Origin("similar", variant, {}, 0, "cpu", None, []), draft).name)
    return folder


@pytest.fixture
def similar(pozytywka, tmp_path):
    """Run the command over artists with odd names."""
    artifacts = stored(tmp_path / "artifacts", NAMES, factors=2)
    return lambda *arguments: pozytywka("similar", "--artifacts-dir", artifacts, *arguments)


@pytest.fixture
def typed(monkeypatch):
    """A function that replaces standard input by these bytes."""
    return lambda content: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def rows(answer) -> list[dict]:
    """The rows of a JSON answer, of which the envelope is checked."""
    found = json.loads(answer.out)
    assert (found["format"], found["command"]) == (1, "similar")
    return found["rows"]


def test_names_are_printed_one_a_line(similar):
    """Off a terminal; a correct name gives no message."""
    answer = similar("rosetta", "-n", "2")
    assert (answer.code, answer.out, answer.err) == (0, "Ocean\nCult Of Luna\n", "")


@pytest.mark.parametrize(
    ("query", "matched"),
    [
        ("rosetta", "Rosetta"),
        ("bjork", "Björk"),
        ("sigur rós", "Sigur Rós"),
        ("sigur ro\u0301s", "Sigur Rós"),
        ("metalica", "Metallica"),
        ("the ocean", "The Ocean"),
        ("кино", "Кино"),
        ("КИНО", "Кино"),
        ("[spunge]", "[spunge]"),
        ("[/b]", "[/b]"),
        ("-lead", "-lead"),
        ("lona", "Łona"),
        ("MO", "MØ"),
        ("椎名 林檎", "椎名\u3000林檎"),
    ],
)
def test_a_name_is_found_however_it_is_spelt(similar, query, matched):
    """Case, diacritics, their composition, punctuation and a typo do not matter, and brackets are no markup."""
    answer = similar("--json", "-n", "1", "--", query)
    assert answer.code == 0
    assert [(row["query"], row["matched"]) for row in rows(answer)] == [(query, matched)]


def test_a_corrected_name_is_announced_on_stderr(similar):
    """Unless -q is given."""
    assert similar("metalica", "-n", "1").err == "metalica → Metallica\n"
    assert similar("metalica", "-n", "1", "-q").err == ""


def test_other_artists_of_the_same_name_are_listed(similar):
    """By their ids, with which --id finds them; three at most."""
    message = similar("ocean", "-n", "1").err
    assert "The Ocean" in message
    assert "--id" in message
    assert '"id 1"' in message
    assert rows(similar("--id", "id 1", "-n", "1", "--json"))[0]["matched"] == "Ocean"


def test_of_many_artists_of_the_same_name_three_are_listed(pozytywka, tmp_path):
    """And the number of others."""
    artifacts = stored(tmp_path / "same", ["Red"] * 6, factors=2)
    message = pozytywka("similar", "red", "--artifacts-dir", artifacts).err
    assert '"id 1", "id 2", "id 3" and 2 more' in message


def test_names_from_data_are_shown_literally(similar):
    """Markup is not markup, and an escape sequence is written out."""
    shown = similar("Rosetta", "-n", "50").out.splitlines()
    assert {"[spunge]", "[/b]", "\\x1b[31mred", "-lead"} < set(shown)
    assert len(shown) == len(NAMES) - 1


def test_every_row_has_its_query(similar):
    """One row for each neighbour of each name, in order."""
    found = rows(similar("bjork", "rosetta", "-n", "2", "--json"))
    assert [row["matched"] for row in found] == ["Björk", "Björk", "Rosetta", "Rosetta"]
    assert list(found[0]) == ["query", "matched", "name", "id", "score", "variant"]
    assert [row["score"] for row in found] == pytest.approx([np.cos(1.5 / (len(NAMES) - 1))] * 4)


@pytest.fixture
def popular(pozytywka, tmp_path):
    """Run the command over a promoted version of popularity."""
    artifacts = stored(tmp_path / "popular", NAMES, factors=1, variant="popularity")
    return lambda *arguments: pozytywka("similar", "--artifacts-dir", artifacts, *arguments)


def test_popularity_is_named_and_has_no_scores(popular):
    """In a warning, which -q shows too, and in every row; the cell of a score is empty."""
    answer = popular("rosetta", "björk", "-n", "2", "--json", "-q")
    assert answer.code == 0
    assert len(answer.err.splitlines()) == 1
    assert "warning: " in answer.err
    assert "popularity" in answer.err
    assert {(row["variant"], row["score"]) for row in rows(answer)} == {("popularity", None)}
    assert popular("rosetta", "-n", "2", "--scores").out == "The Ocean\t\nOcean\t\n"


def test_a_model_has_no_warning_and_names_its_variant(similar):
    """In every row."""
    answer = similar("rosetta", "--json")
    assert answer.err == ""
    assert {row["variant"] for row in rows(answer)} == {"als"}


def test_a_terminal_shows_one_line_for_a_name_of_any_length(pozytywka, tmp_path, monkeypatch):
    """Cut with an ellipsis, in the title too, and in messages; --json has it whole."""
    long = "Endless " * 12_500
    where = ["--artifacts-dir", stored(tmp_path / "long", [long, "Rosetta", "Ocean"], factors=2)]
    found = json.loads(pozytywka("similar", "rosetta", "--json", *where).out)["rows"]
    assert long in {row["name"] for row in found}
    answer = pozytywka("similar", long[:-9], *where)
    assert answer.code == 0
    assert len(answer.err) < 200

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for name in ("rosetta", long):
        monkeypatch.setattr(sys, "stdout", terminal := Terminal())
        assert pozytywka("similar", name, "--scores", *where).code == 0
        lines = terminal.getvalue().splitlines()
        assert len(lines) == 5
        assert max(map(len, lines)) <= 110  # with the codes of bold text
        assert any("…" in line for line in lines)


def test_scores_stand_beside_the_names(similar):
    """After a tab."""
    name, score = similar("rosetta", "--scores", "-n", "1").out.split("\t")
    assert name == "Ocean"
    assert float(score) == pytest.approx(np.cos(1.5 / (len(NAMES) - 1)), abs=1e-4)


def test_names_come_from_standard_input(similar, typed):
    """One a line with any ending, in the place of -; there a dash in front is a part of the name."""
    typed("\ufeffrosetta\r\n\n  \n-lead\nкино".encode())
    found = rows(similar("bjork", "-", "-n", "1", "--json"))
    assert [row["query"] for row in found] == ["bjork", "rosetta", "-lead", "кино"]


def test_output_can_be_used_as_input(similar, typed):
    """Every name is found as it was printed, ideographic spaces and escape sequences too."""
    printed = similar("Rosetta", "-n", "50").out
    typed(printed.encode())
    found = rows(similar("-", "-n", "1", "--json"))
    assert {row["matched"] for row in found} == set(NAMES) - {"Rosetta", "Ocean"}


def test_input_that_is_not_utf8_is_no_error(similar, typed):
    """Undecodable bytes of a name become �."""
    typed(b"metal\xffica\n")
    assert similar("-", "-n", "1").err == "metal�ica → Metallica\n"


@pytest.mark.parametrize("flags", [[], ["--blend"]])
def test_without_names_on_standard_input_nothing_is_printed(similar, typed, flags):
    """An empty input has an empty answer."""
    typed(b"\n")
    answer = similar("-", *flags)
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_an_unknown_name_exits_3_with_the_nearest(similar):
    """Three of them, and nothing on stdout."""
    answer = similar("rosemary jones")
    assert (answer.code, answer.out) == (3, "")
    first, hint = answer.err.splitlines()
    assert '"rosemary jones"' in first
    assert hint.count('"') == 6


@pytest.mark.parametrize("query", ["", "!!", "qqqqqqqqqq"])
def test_a_name_that_shares_no_letter_has_no_nearest(similar, query):
    """Three unrelated names would not help."""
    answer = similar(query)
    assert (answer.code, answer.out) == (3, "")
    first, hint = answer.err.splitlines()
    assert f'"{query}"' in first
    assert '"' not in hint


def test_a_name_is_shortened_in_messages(similar):
    """Somebody may have piped in something else than names; nor is anything compared with it."""
    answer = similar("x" * 900_000)
    assert answer.code == 3
    assert f'"{"x" * 59}…"' in answer.err
    assert len(answer.err) < 200


def test_the_known_names_are_answered_beside_unknown_ones(similar):
    """Each unknown one is reported with its nearest; the exit code is 3 all the same."""
    answer = similar("rosetta", "rosemary jones", "bjork", "qqqqqqqqqq", "-n", "1")
    assert (answer.code, answer.out) == (3, "Ocean\nCult Of Luna\n")
    one, other, error, _ = answer.err.splitlines()
    assert one.startswith("warning: ")
    assert '"rosemary jones"' in one
    assert one.count('"') == 8
    assert other.count('"') == 2
    assert error.startswith("error: 2 of 4 ")


def test_unknown_names_stand_beside_the_rows(similar, typed):
    """With the nearest names; also for a single line of standard input."""
    typed(b"rosetto-x\n")
    answer = similar("-", "--json", "-q")
    assert answer.code == 0
    assert json.loads(answer.out)["unknown"] == []
    typed(b"rosemary jones\n")
    answer = similar("-", "--json", "-q")
    (unknown,) = json.loads(answer.out)["unknown"]
    assert unknown["query"] == "rosemary jones"
    assert unknown["problem"]
    assert len(unknown["nearest"]) == 3
    assert answer.err.splitlines()[1].startswith("error: 1 of 1 ")


def test_names_are_answered_as_they_come(similar, monkeypatch, capsys):
    """The first before the second is read."""

    def slowly():
        yield b"rosetta\n"
        assert capsys.readouterr().out == "Ocean\n"
        yield b"bjork\n"

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=slowly()))
    assert similar("-", "-n", "1").out == "Cult Of Luna\n"


@pytest.mark.parametrize("command", ["similar", "predict"])
def test_a_closed_standard_input_is_a_usage_error(pozytywka, similar, sampled, trained, monkeypatch, command):
    """As after `<&-`."""
    monkeypatch.setattr(sys, "stdin", None)
    folders = ["--artifacts-dir", trained, "--data-dir", sampled]
    answer = similar("-") if command == "similar" else pozytywka("predict", "skip", "-", *folders)
    assert (answer.code, answer.out) == (2, "")
    assert "standard input is closed" in answer.err


def test_an_unknown_id_exits_3_with_the_nearest(similar):
    """A name is no id."""
    answer = similar("--id", "id 100")
    assert answer.code == 3
    first, hint = answer.err.splitlines()
    assert '"id 100"' in first
    assert '"id 10", "id 0", "id 1"' in hint


def test_a_blend_is_one_answer(similar):
    """The artist between the first and the eleventh, neither of which it contains."""
    found = rows(similar("--blend", "the ocean", "\x1b[31mred", "-n", "3", "--json"))
    assert {row["matched"] for row in found} == {"The Ocean + \x1b[31mred"}
    assert found[0]["name"] == "Sigur Rós"
    assert found[0]["score"] == pytest.approx(1)


def test_a_blend_with_an_unknown_name_is_none(similar):
    """It would be another blend."""
    answer = similar("--blend", "rosetta", "qqqqqqqqqq")
    assert (answer.code, answer.out) == (3, "")


def test_a_name_or_a_map_is_needed(similar):
    """Else exit 2."""
    assert similar() == similar("-n", "3")
    assert similar().code == 2
    assert "NAME" in similar().err


def test_a_name_that_looks_like_an_option_goes_after_dashes(similar):
    """The error says so."""
    answer = similar("-lead")
    assert answer.code == 2
    assert "--" in answer.err.splitlines()[-1]
    assert similar("-n", "1", "--", "-lead").code == 0


def test_a_map_shows_every_name(similar, tmp_path):
    """No NAME is needed, and nothing is printed."""
    answer = similar("--map", tmp_path / "map.svg")
    assert (answer.code, answer.out) == (0, "")
    assert str(tmp_path / "map.svg") in answer.err
    drawn = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert all(name in drawn for name in [*NAMES[:10], "�[31mred", "-lead"])


def test_names_are_answered_beside_a_map(similar, tmp_path):
    """As without it."""
    assert similar("rosetta", "-n", "1", "--map", tmp_path / "map.svg").out == "Ocean\n"


@pytest.mark.parametrize("flags", [["--id"], ["--blend", "--scores"], ["--json"]])
def test_flags_of_names_are_refused_without_a_name(similar, tmp_path, flags):
    """Each is named; nothing is drawn."""
    answer = similar("--map", tmp_path / "map.svg", *flags)
    assert answer.code == 2
    assert all(flag in answer.err for flag in [*flags, "NAME"])
    assert not (tmp_path / "map.svg").exists()


def test_a_map_that_cannot_be_drawn_is_refused(similar, pozytywka, tmp_path, monkeypatch):
    """For its suffix, because popularity is promoted, or because the extra is missing; nothing is written."""
    answer = similar("--map", "map.gif")
    assert answer.code == 2
    assert "--map map.gif" in answer.err
    plain = stored(tmp_path / "plain", NAMES, factors=1, variant="popularity")
    answer = pozytywka("similar", "--map", tmp_path / "map.svg", "--artifacts-dir", plain)
    assert answer.code == 3
    assert "train similar" in answer.err
    monkeypatch.setitem(sys.modules, "altair", None)
    answer = similar("--map", tmp_path / "map.svg")
    assert answer.code == 5
    assert "--map" in answer.err
    assert not (tmp_path / "map.svg").exists()


def test_a_damaged_artifact_exits_4(similar, tmp_path):
    """Its hash differs."""
    (keys,) = (tmp_path / "artifacts" / "similar" / "versions").glob("*/keys.bin")
    keys.write_bytes(keys.read_bytes().replace(b"rosetta", b"rosettb"))
    answer = similar("rosetta")
    assert answer.code == 4
    assert "SHA-256" in answer.err


def test_a_lookup_leaves_the_heavy_libraries_alone(similar, tmp_path):
    """A correct name without rapidfuzz and anyascii too; numpy is all that it needs."""
    program = "import sys\nfrom pozytywka_cli.commands.boundary import run\nrun(sys.argv[1:])\nprint(*sys.modules)"
    heavy = {"torch", "sklearn", "implicit", "scipy", "polars", "altair"}
    for query, extra in (
        ("rosetta", {"rapidfuzz", "anyascii"}),
        ("björk", {"rapidfuzz", "anyascii"}),
        ("roseta", set()),
    ):
        words = [sys.executable, "-c", program, "similar", query, "--artifacts-dir", str(tmp_path / "artifacts")]
        loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
        assert "numpy" in loaded
        assert not set(loaded) & (heavy | extra)
