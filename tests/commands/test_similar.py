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
from pozytywka_cli.families.similar.model import Factors

NAMES = ["The Ocean", "Ocean", "Rosetta", "Cult Of Luna", "Björk", "Sigur Rós", "Metallica", "Кино"]
NAMES += ["[spunge]", "[/b]", "\x1b[31mred", "-lead"]


def stored(folder: Path, names: list[str], factors: int, variant: str = "als") -> Path:
    """Artifacts whose artists, the first with the most listeners, each lie a little further from the first."""
    angles = np.linspace(0, 1.5, len(names))
    rows = np.ones((len(names), 1)) if factors == 1 else np.column_stack([np.cos(angles), np.sin(angles)])
    ids = [f"id {place}" for place in range(len(names))]
    model = Factors.of(rows.astype(np.float32), np.arange(len(names))[::-1] + 3, ids, names)
    store = Store(folder)
    version = store.save(
        Origin("similar", variant, {}, 0, "cpu", None, []), Draft(variant, model.save, {}, [], *[""] * 5, {})
    )
    store.promote("similar", version.name)
    return folder


@pytest.fixture
def similar(pozytywka, tmp_path):
    """Ask about artists with odd names; `typed` is standard input."""
    artifacts = stored(tmp_path / "artifacts", NAMES, factors=2)
    return lambda *arguments: pozytywka("similar", "--artifacts-dir", artifacts, *arguments)


@pytest.fixture
def typed(monkeypatch):
    """A function that gives standard input these bytes."""
    return lambda content: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def rows(answer) -> list[dict]:
    """The rows of a JSON answer, after a look at its envelope."""
    found = json.loads(answer.out)
    assert (found["format"], found["command"]) == (1, "similar")
    return found["rows"]


def test_names_are_printed_one_a_line(similar):
    """Off a terminal; an exact name needs no word on stderr."""
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
    ],
)
def test_a_name_is_found_however_it_is_spelt(similar, query, matched):
    """Case, diacritics, their composition, punctuation and a typo do not matter, and brackets are no markup."""
    answer = similar("--json", "-n", "1", "--", query)
    assert answer.code == 0
    assert [(row["query"], row["matched"]) for row in rows(answer)] == [(query, matched)]


def test_a_guess_is_announced_on_stderr(similar):
    """And -q keeps it quiet."""
    assert similar("metalica", "-n", "1").err == "metalica → Metallica\n"
    assert similar("metalica", "-n", "1", "-q").err == ""


def test_of_artists_that_share_a_name_the_others_are_told(similar):
    """By their ids, with which --id finds them."""
    assert similar("ocean", "-n", "1").err == (
        'The Ocean has the most listeners of that name; --id finds the others: "id 1"\n'
    )
    assert rows(similar("--id", "id 1", "-n", "1", "--json"))[0]["matched"] == "Ocean"


def test_of_many_that_share_a_name_three_are_told(pozytywka, tmp_path):
    """And how many more there are."""
    artifacts = stored(tmp_path / "same", ["Red"] * 6, factors=2)
    assert pozytywka("similar", "red", "--artifacts-dir", artifacts).err.endswith('"id 1", "id 2", "id 3" and 2 more\n')


def test_names_from_data_are_shown_literally(similar):
    """Markup is not markup, and an escape sequence is written out."""
    shown = similar("Rosetta", "-n", "50").out.splitlines()
    assert {"[spunge]", "[/b]", "\\x1b[31mred", "-lead"} < set(shown)
    assert len(shown) == len(NAMES) - 1


def test_every_row_says_what_was_asked(similar):
    """One row for each neighbour of each name, in order."""
    found = rows(similar("bjork", "rosetta", "-n", "2", "--json"))
    assert [row["matched"] for row in found] == ["Björk", "Björk", "Rosetta", "Rosetta"]
    assert list(found[0]) == ["query", "matched", "name", "id", "score"]
    assert [row["score"] for row in found] == pytest.approx([np.cos(1.5 / 11)] * 4)


def test_scores_stand_beside_the_names(similar):
    """After a tab."""
    assert similar("rosetta", "--scores", "-n", "1").out == "Ocean\t0.9907\n"


def test_names_come_from_standard_input(similar, typed):
    """One a line with any ending, in the place of -; there a dash in front is a part of the name."""
    typed("\ufeffrosetta\r\n\n  \n-lead\nкино".encode())
    found = rows(similar("bjork", "-", "-n", "1", "--json"))
    assert [row["query"] for row in found] == ["bjork", "rosetta", "-lead", "кино"]


def test_input_that_is_not_utf8_is_no_fault(similar, typed):
    """The name is looked for with � in place of what could not be read."""
    typed(b"metal\xffica\n")
    assert similar("-", "-n", "1").err == "metal�ica → Metallica\n"


@pytest.mark.parametrize("flags", [[], ["--blend"]])
def test_of_no_names_nothing_is_said(similar, typed, flags):
    """An empty input has an empty answer."""
    typed(b"\n")
    answer = similar("-", *flags)
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_an_unknown_name_exits_3_with_the_nearest(similar):
    """Three of them, and nothing on stdout."""
    answer = similar("rosemary jones")
    assert (answer.code, answer.out) == (3, "")
    first, hint = answer.err.splitlines()
    assert first == 'error: no artist is called "rosemary jones"'
    assert hint.startswith("The nearest are ")
    assert hint.count('"') == 6


@pytest.mark.parametrize("query", ["", "!!", "qqqqqqqqqq"])
def test_what_is_like_no_name_has_no_nearest(similar, query):
    """Three that share no letter with it would not help."""
    answer = similar(query)
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == f'error: no artist is called "{query}"\nNothing is near; check the spelling.\n'


def test_a_name_is_shortened_in_messages(similar):
    """Somebody has piped in something else than names; nor is anything compared with it."""
    answer = similar("x" * 900_000)
    assert answer.code == 3
    assert answer.err == f'error: no artist is called "{"x" * 59}…"\nNothing is near; check the spelling.\n'


def test_the_known_names_are_answered_beside_unknown_ones(similar):
    """Each unknown one is told with its nearest as they come; still the exit code is 3."""
    answer = similar("rosetta", "rosemary jones", "bjork", "qqqqqqqqqq", "-n", "1")
    assert (answer.code, answer.out) == (3, "Ocean\nCult Of Luna\n")
    one, other, error, hint = answer.err.splitlines()
    assert one.startswith('warning: no artist is called "rosemary jones". The nearest are ')
    assert other == 'warning: no artist is called "qqqqqqqqqq". Nothing is near; check the spelling.'
    assert error == "error: 2 of 4 names are unknown"
    assert hint == "A warning above tells of each what to try in its place."


def test_unknown_names_stand_beside_the_rows(similar, typed):
    """With what may have been meant; one line of standard input is told of as many are."""
    typed(b"rosetto-x\n")
    answer = similar("-", "--json", "-q")
    assert answer.code == 0
    assert json.loads(answer.out)["unknown"] == []
    typed(b"rosemary jones\n")
    answer = similar("-", "--json", "-q")
    (unknown,) = json.loads(answer.out)["unknown"]
    assert (unknown["query"], unknown["problem"]) == ("rosemary jones", 'no artist is called "rosemary jones"')
    assert len(unknown["nearest"]) == 3
    assert answer.err.splitlines()[1] == "error: 1 of 1 names is unknown"


def test_names_are_answered_as_they_come(similar, monkeypatch, capsys):
    """The first before the second is read."""

    def slowly():
        yield b"rosetta\n"
        assert capsys.readouterr().out == "Ocean\n"
        yield b"bjork\n"

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=slowly()))
    assert similar("-", "-n", "1").out == "Cult Of Luna\n"


@pytest.mark.parametrize("command", ["similar", "predict"])
def test_a_closed_standard_input_is_a_usage_error(pozytywka, similar, trained, monkeypatch, command):
    """As after `<&-`."""
    monkeypatch.setattr(sys, "stdin", None)
    answer = similar("-") if command == "similar" else pozytywka("predict", "skip", "-", "--artifacts-dir", trained)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "error: standard input is closed, and - reads it\nGive it a pipe or a file, or leave out -.\n"


def test_an_unknown_id_exits_3_with_the_nearest(similar):
    """A name is no id."""
    answer = similar("--id", "id 100")
    assert answer.code == 3
    assert (
        answer.err
        == 'error: the model knows no artist with the id "id 100"\nThe nearest are "id 10", "id 0", "id 1".\n'
    )


def test_a_blend_is_one_answer(similar):
    """What lies between the first and the last but one, neither of which it holds."""
    found = rows(similar("--blend", "the ocean", "\x1b[31mred", "-n", "3", "--json"))
    assert {row["matched"] for row in found} == {"The Ocean + \x1b[31mred"}
    assert found[0]["name"] == "Sigur Rós"
    assert found[0]["score"] == pytest.approx(1)


def test_a_blend_with_an_unknown_name_is_none(similar):
    """It would be another blend."""
    answer = similar("--blend", "rosetta", "qqqqqqqqqq")
    assert (answer.code, answer.out) == (3, "")


def test_without_a_name_there_is_nothing_to_do(similar):
    """Unless a map is asked for."""
    assert similar() == similar("-n", "3")
    assert (similar().code, similar().err) == (
        2,
        "error: Missing argument 'NAME'.\nSee `pozytywka similar --help`.\n",
    )


def test_a_name_that_looks_like_an_option_is_told_its_place(similar):
    """After --, where it is found."""
    answer = similar("-lead")
    assert answer.code == 2
    assert answer.err.endswith("See `pozytywka similar --help`. What begins with - and is no option goes after --.\n")
    assert similar("-n", "1", "--", "-lead").code == 0


def test_a_map_shows_every_name(similar, tmp_path):
    """No NAME is needed, and nothing is printed."""
    answer = similar("--map", tmp_path / "map.svg")
    assert (answer.code, answer.out, answer.err) == (0, "", f"Wrote {tmp_path / 'map.svg'}.\n")
    drawn = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert all(name in drawn for name in [*NAMES[:10], "�[31mred", "-lead"])


def test_names_are_answered_beside_a_map(similar, tmp_path):
    """As ever."""
    assert similar("rosetta", "-n", "1", "--map", tmp_path / "map.svg").out == "Ocean\n"


@pytest.mark.parametrize("flags", [["--id"], ["--blend", "--scores"], ["--json"]])
def test_a_map_alone_has_no_use_for_flags_of_names(similar, tmp_path, flags):
    """Refused, each by its name; nothing is drawn."""
    answer = similar("--map", tmp_path / "map.svg", *flags)
    named = " and ".join(flags)
    assert answer.code == 2
    assert answer.err == f"error: {named}: without a NAME nothing is looked up\nGive a NAME, or leave out {named}.\n"
    assert not (tmp_path / "map.svg").exists()


def test_a_map_that_cannot_be_drawn_is_refused(similar, pozytywka, tmp_path, monkeypatch):
    """For its suffix, because popularity serves, or because the extra is missing; nothing is written."""
    answer = similar("--map", "map.gif")
    assert (answer.code, answer.err.splitlines()[0]) == (2, "error: --map map.gif: the suffix names no format")
    plain = stored(tmp_path / "plain", NAMES, factors=1, variant="popularity")
    answer = pozytywka("similar", "--map", tmp_path / "map.svg", "--artifacts-dir", plain)
    assert answer.code == 3
    assert answer.err.startswith("error: there is no map of a model that knows no likeness, or ")
    monkeypatch.setitem(sys.modules, "altair", None)
    answer = similar("--map", tmp_path / "map.svg")
    assert answer.code == 5
    assert answer.err.startswith("error: --map was asked for, but nothing here can draw: ")
    assert not (tmp_path / "map.svg").exists()


def test_a_damaged_artifact_exits_4(similar, tmp_path):
    """Its hash differs."""
    (keys,) = (tmp_path / "artifacts" / "similar" / "versions").glob("*/keys.bin")
    keys.write_bytes(keys.read_bytes().replace(b"rosetta", b"rosettb"))
    answer = similar("rosetta")
    assert answer.code == 4
    assert "SHA-256" in answer.err


def test_a_lookup_leaves_the_heavy_libraries_alone(similar, tmp_path):
    """Exact ones even rapidfuzz; numpy is all that either needs."""
    program = "import sys\nfrom pozytywka_cli.commands.boundary import run\nrun(sys.argv[1:])\nprint(*sys.modules)"
    heavy = {"torch", "sklearn", "implicit", "scipy", "polars", "altair"}
    for query, extra in (("rosetta", {"rapidfuzz"}), ("roseta", set())):
        words = [sys.executable, "-c", program, "similar", query, "--artifacts-dir", str(tmp_path / "artifacts")]
        loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
        assert "numpy" in loaded
        assert not set(loaded) & (heavy | extra)
