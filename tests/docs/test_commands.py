import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.exceptions import TyperException

from pozytywka_cli.commands.boundary import hoisted, run

from . import blocks
from .blocks import DOCUMENTS, GENERATED, Block, Command, shape

QUICK = {"POZYTYWKA_SKIP_EPOCHS": "1", "POZYTYWKA_SIMILAR_ITERATIONS": "10"}
STARTS_EMPTY = ("getting-started.md",)  # its first step makes the data set
MODEST = ("--users", "60", "--weeks", "30")

WRITTEN = [path for path in DOCUMENTS if path != GENERATED]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train for a moment only, and without the configuration of the person who runs the tests."""
    for name in [name for name in os.environ if name.startswith("POZYTYWKA_")]:
        monkeypatch.delenv(name)
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small sample and trained artifacts; only copied."""
    folder = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in QUICK.items():
            patch.setenv(name, value)
        for command in (["sample", "data", *MODEST], ["train"], ["predict"]):
            assert run(["-q", *command]) == 0, command
    return folder


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Path]:
    """Make the folder in which a document's commands are run."""

    def make(document: Path) -> Path:
        folder = tmp_path / "desk"
        if document.name in STARTS_EMPTY:
            folder.mkdir()
        else:
            shutil.copytree(request.getfixturevalue("prepared"), folder, symlinks=True)
        monkeypatch.chdir(folder)
        return folder

    return make


@pytest.mark.parametrize("document", WRITTEN, ids=blocks.name)
def test_every_command_of_a_document_does_what_it_shows(document: Path, desk, capsys: pytest.CaptureFixture[str]):
    """Run a document from top to bottom in one folder; exit codes are right, and output has the shape shown."""
    runnable = [command for block in blocks.blocks(document) if block.is_run for command in blocks.commands(block)]
    if not runnable:
        return
    folder, last = desk(document), 0
    for command in runnable:
        if command.text == "echo $?":
            assert command.output == (str(last),), command
            continue
        last, output = _run(command, folder, capsys)
        expected = command.code or (3 if _shows_error(command) else 0)
        assert last == expected, f"{command.block}: `{command.text}` exits with {last}, not {expected}\n{output}"
        lost = set(shape("\n".join(command.output))) - set(shape(output) if command.output else ())
        assert not lost, f"{command.block}: `{command.text}` does not print {lost}, but\n{output}"


def _shows_error(command: Command) -> bool:
    return any(line.startswith("error: ") for line in command.output)


def _run(command: Command, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    if command.block.language == "console":
        return blocks.run_on_terminal(command.text, folder)
    if blocks.needs_shell(command.text):
        return blocks.run_in_shell(command.text, folder)
    capsys.readouterr()
    (arguments,) = blocks.invocations(command.text)
    code = run(arguments)
    captured = capsys.readouterr()
    return code, captured.out + captured.err


@pytest.mark.parametrize("document", WRITTEN, ids=blocks.name)
def test_commands_that_are_not_run_exist_with_their_options(document: Path):
    """Parse every command of a document, in blocks and in the running text: no name or option is unknown."""
    texts = [block.body for block in blocks.blocks(document) if block.language == "sh" and not block.is_run]
    for text in [*texts, *blocks.mentioned(document)]:
        for arguments in blocks.invocations(text):
            _parse(arguments)


def _parse(arguments: list[str]) -> None:
    """Parse arguments as the command line does, without running anything; what is missing may be left to the reader.

    Raises:
        TyperException: a command or an option is unknown, or a value is unusable.
    """
    from pozytywka_cli.commands.app import app

    command, name, parent = typer.main.get_command(app), "pozytywka", None
    rest = hoisted(arguments)
    try:
        while command is not None:
            parent = command.make_context(name, rest, parent=parent)
            if not hasattr(command, "resolve_command"):
                return
            rest = [*parent._protected_args, *parent.args]
            name, command, rest = command.resolve_command(parent, rest)
    except typer.Exit:  # --help and --version
        return
    except TyperException as error:
        if type(error).__name__ != "MissingParameter":  # typer does not export it
            raise


def _all_blocks() -> list[Block]:
    return [block for document in WRITTEN for block in blocks.blocks(document)]


@pytest.mark.parametrize("block", _all_blocks(), ids=str)
def test_a_block_names_its_language_and_says_why_it_is_not_run(block: Block):
    """A block without a language would escape the other tests; so would one that is left out without a reason."""
    assert block.language in ("sh", "console", "json", "toml", "python", "text")
    if "no-run" in block.info:
        assert block.reason, f"{block} does not say why it is not run"
