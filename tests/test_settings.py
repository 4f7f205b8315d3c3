"""Settings: flag, then environment, then file, then default; nothing unknown and nothing of a wrong type."""

from pathlib import Path

import pytest

from pozytywka_cli.errors import UsageError
from pozytywka_cli.settings import Settings, SimilarSettings, load

HINT = (
    "Mend or remove it; known are data_dir, artifacts_dir, log_format; "
    "[skip] layers, width, smoothing, epochs, batch_size, learning_rate, weight_decay, dropout, patience, forest_rows; "
    "[weekly] measure, horizon, window, hidden, epochs, batch_size, learning_rate, weight_decay, patience, test_weeks; "
    "[similar] weighting, factors, regularization, alpha, iterations, min_listeners."
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(
    config: Path | None = None, overrides: dict[str, object] | None = None, environment: dict[str, str] | None = None
) -> UsageError:
    with pytest.raises(UsageError) as raised:
        load(config, overrides or {}, environment or {})
    assert raised.value.exit_code == 2
    return raised.value


def test_defaults() -> None:
    """Nothing said, nothing changed."""
    assert load(None, {}, {}) == Settings()
    assert Settings().similar == SimilarSettings("log1p", 128, 100.0, 5.0, 40, 3)


def test_flag_before_environment_before_file_before_default(here: Path) -> None:
    """Each source yields to the one before it, and only where that one says something."""
    (here / "pozytywka.toml").write_text('data_dir = "file"\nartifacts_dir = "file"\nlog_format = "json"\n')
    environment = {"POZYTYWKA_DATA_DIR": "environment", "POZYTYWKA_ARTIFACTS_DIR": "environment", "HOME": "/"}
    found = load(None, {"data_dir": "flag", "artifacts_dir": None}, environment)
    assert (found.data_dir, found.artifacts_dir, found.log_format) == ("flag", "environment", "json")
    assert found.skip == Settings().skip


def test_sections_by_file_and_environment(here: Path) -> None:
    """A section's keys are set one by one; the others keep the file's values."""
    (here / "pozytywka.toml").write_text("[similar]\nfactors = 7\nalpha = 2\n\n[skip]\nlearning_rate = 0.5\n")
    found = load(None, {}, {"POZYTYWKA_SIMILAR_FACTORS": "64", "POZYTYWKA_SIMILAR_MIN_LISTENERS": "1"})
    assert found.similar == SimilarSettings(factors=64, alpha=2.0, min_listeners=1)
    assert found.skip.learning_rate == 0.5
    assert load(None, {}, {"POZYTYWKA_WEEKLY_LEARNING_RATE": "1e-3"}).weekly.learning_rate == 0.001


def test_pyproject(here: Path) -> None:
    """`[tool.pozytywka]` serves where there is no `pozytywka.toml`, and where that is named by --config."""
    pyproject = here / "pyproject.toml"
    pyproject.write_text(
        '[project]\nname = "x"\n\n[tool.pozytywka]\ndata_dir = "logs"\n\n[tool.pozytywka.weekly]\nwindow = 13\n'
    )
    found = load(None, {}, {})
    assert (found.data_dir, found.weekly.window) == ("logs", 13)
    (here / "pozytywka.toml").write_text('data_dir = "other"\n')
    assert load(None, {}, {}).data_dir == "other"
    assert load(pyproject, {}, {}).weekly.window == 13


def test_relative_paths_begin_where_the_file_lies(here: Path) -> None:
    """A cron job starts elsewhere; absolute paths stay, and so does what flag and environment say."""
    (here / "etc").mkdir()
    config = here / "etc" / "nightly.toml"
    config.write_text('data_dir = "logs"\nartifacts_dir = "/srv/models"\n')
    found = load(config, {}, {})
    assert (found.data_dir, found.artifacts_dir) == (str(here / "etc" / "logs"), "/srv/models")
    assert load(config, {"data_dir": "here"}, {}).data_dir == "here"


@pytest.mark.parametrize("text", ["", "tool = 3\n", "[tool.other]\nx = 1\n"])
def test_a_pyproject_of_another_project(text: str, here: Path) -> None:
    """Where it says nothing about pozytywka, the defaults hold."""
    (here / "pyproject.toml").write_text(text)
    assert load(None, {}, {}) == Settings()


def test_a_file_named_in_the_environment(here: Path) -> None:
    """POZYTYWKA_CONFIG names a file; the flag goes before it."""
    for name in ("one", "two"):
        (here / f"{name}.toml").write_text(f'data_dir = "{name}"\n')
    environment = {"POZYTYWKA_CONFIG": "one.toml"}
    assert load(None, {}, environment).data_dir == "one"
    assert load(Path("two.toml"), {}, environment).data_dir == "two"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('datadir = "x"', "Object contains unknown field `datadir`"),
        ("[similar]\nfactor = 3", "Object contains unknown field `factor` - at `$.similar`"),
        ("[similar]\nfactors = '3'", "Expected `int`, got `str` - at `$.similar.factors`"),
        ("[similar]\nfactors = 3.5", "Expected `int`, got `float` - at `$.similar.factors`"),
        ("skip = 3", "Expected `object`, got `int` - at `$.skip`"),
        ("log_format = 'xml'", "Invalid enum value 'xml' - at `$.log_format`"),
    ],
)
def test_a_file_with_a_mistake(text: str, problem: str, here: Path) -> None:
    """The message names the file, the key and its section."""
    (here / "pozytywka.toml").write_text(text)
    error = refused()
    assert error.message == f"pozytywka.toml: {problem}"
    assert error.hint == HINT


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("POZYTYWKA_DATADIR", "x", "Object contains unknown field `datadir`"),
        ("POZYTYWKA_SIMILAR_FACTOR", "3", "Object contains unknown field `factor` - at `$.similar`"),
        ("POZYTYWKA_SIMILAR_FACTORS", "many", "Expected `int`, got `str` - at `$.similar.factors`"),
        ("POZYTYWKA_LOG_FORMAT", "xml", "Invalid enum value 'xml' - at `$.log_format`"),
    ],
)
def test_an_environment_with_a_mistake(name: str, value: str, problem: str) -> None:
    """The message says that it was the environment, and names the key."""
    error = refused(environment={name: value})
    assert error.message == f"the environment (POZYTYWKA_*): {problem}"
    assert error.hint == HINT


def test_a_file_that_is_missing_or_no_toml(here: Path) -> None:
    """A file that was named must be there and must be TOML."""
    error = refused(here / "none.toml")
    assert error.message == f"cannot read the configuration {here / 'none.toml'}: No such file or directory"
    assert error.hint == "Check --config."
    (here / "pozytywka.toml").write_text("data_dir = \n")
    error = refused()
    assert error.message == "pozytywka.toml is not TOML: Invalid value (at line 1, column 12)"
    assert error.hint == "Mend that line, or name another file with --config."
    (here / "pozytywka.toml").write_bytes(b'data_dir = "\xff"')
    assert refused().message.startswith("pozytywka.toml is not TOML: 'utf-8' codec can't decode byte 0xff")
