"""Settings: command line, then environment, then file, then default; nothing unknown and nothing of a wrong type."""

import os
import pwd
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from pozytywka_cli.errors import UsageError
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.settings import Assigned, General, Settings, load, parse_override

SECTIONS = {"skip": SkipSettings, "weekly": WeeklySettings, "similar": SimilarSettings}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(
    config: Path | None = None, overrides: list[Assigned] | None = None, environment: dict[str, str] | None = None
) -> Settings:
    """Load settings, and convert all sections."""
    settings = load(config, overrides or [], sections=SECTIONS, environment=environment or {})
    for name in settings.configured_sections:
        settings.section(name, SECTIONS[name])
    return settings


def refused(config: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """Return the message of a refusal, with its hint."""
    with pytest.raises(UsageError) as raised:
        loaded(config, environment=environment)
    assert raised.value.exit_code == 2
    assert raised.value.hint
    return f"{raised.value.message} {raised.value.hint}"


def test_defaults() -> None:
    """Without any source every setting has its default."""
    assert loaded().general == General("data", "artifacts", "text")
    assert loaded().section("similar", SimilarSettings) == SimilarSettings("log1p", 128, 100.0, 5.0, 40, 3)


def test_flag_before_environment_before_file_before_default(here: Path) -> None:
    """Each source yields to the one before it, where that one has a value."""
    (here / "pozytywka.toml").write_text('data_dir = "file"\nartifacts_dir = "file"\nlog_format = "json"\n')
    environment = {"POZYTYWKA_DATA_DIR": "environment", "POZYTYWKA_ARTIFACTS_DIR": "environment", "HOME": "/"}
    general = loaded(overrides=[Assigned("data_dir", "flag", "--data-dir")], environment=environment).general
    assert (general.data_dir, general.artifacts_dir, general.log_format) == ("flag", "environment", "json")


def test_sections_by_file_environment_and_override(here: Path) -> None:
    """The keys of a section are set one by one; the others keep the values of other sources."""
    (here / "pozytywka.toml").write_text("[similar]\nfactors = 7\nalpha = 2\n\n[skip]\nlearning_rate = 0.5\n")
    environment = {"POZYTYWKA_SIMILAR_FACTORS": "64", "POZYTYWKA_SIMILAR_MIN_LISTENERS": "1"}
    settings = loaded(overrides=[parse_override("similar.alpha=3")], environment=environment)
    assert settings.section("similar", SimilarSettings) == SimilarSettings(factors=64, alpha=3.0, min_listeners=1)
    assert settings.section("skip", SkipSettings).learning_rate == 0.5


def test_every_setting_is_described_with_its_source(here: Path) -> None:
    """The file with its line, the variable, --set, or the default."""
    (here / "pozytywka.toml").write_text("# mine\n[similar]\nfactors = 7\n")
    environment = {"POZYTYWKA_SIMILAR_ALPHA": "2"}
    settings = loaded(overrides=[parse_override("similar.iterations = 9")], environment=environment)
    described = {one.key: one for one in settings.described("similar", SimilarSettings)}
    assert list(described) == [f"similar.{name}" for name in SimilarSettings.__struct_fields__]
    assert all(one.description for one in described.values())
    assert (described["similar.factors"].value, described["similar.factors"].source) == (7, "pozytywka.toml:3")
    assert "POZYTYWKA_SIMILAR_ALPHA" in described["similar.alpha"].source
    assert (described["similar.iterations"].value, described["similar.iterations"].source) == (9, "--set")
    assert described["similar.weighting"].source == "default"


def test_pyproject(here: Path) -> None:
    """`[tool.pozytywka]` is read where there is no `pozytywka.toml`, and where --config names it."""
    pyproject = here / "pyproject.toml"
    pyproject.write_text(
        '[project]\nname = "x"\n\n[tool.pozytywka]\ndata_dir = "logs"\n\n[tool.pozytywka.weekly]\nwindow = 13\n'
    )
    assert loaded().general.data_dir == "logs"
    assert loaded().section("weekly", WeeklySettings).window == 13
    (here / "pozytywka.toml").write_text('data_dir = "other"\n')
    assert loaded().general.data_dir == "other"
    assert loaded(pyproject).section("weekly", WeeklySettings).window == 13


def test_relative_paths_begin_at_the_folder_of_the_file(here: Path) -> None:
    """A cron job starts elsewhere; absolute paths stay, and so do those of flags."""
    (here / "etc").mkdir()
    config = here / "etc" / "nightly.toml"
    config.write_text('data_dir = "logs"\nartifacts_dir = "/srv/models"\n')
    general = loaded(config).general
    assert (general.data_dir, general.artifacts_dir) == (str(here / "etc" / "logs"), "/srv/models")
    assert loaded(config, [Assigned("data_dir", "here", "--data-dir")]).general.data_dir == "here"


@pytest.mark.parametrize("text", ["", "[tool.other]\nx = 1\n"])
def test_a_pyproject_of_another_project(text: str, here: Path) -> None:
    """The defaults hold where it has no table for pozytywka."""
    (here / "pyproject.toml").write_text(text)
    assert loaded().general == General()


def test_a_file_named_in_the_environment(here: Path) -> None:
    """POZYTYWKA_CONFIG names a file; the flag goes before it."""
    for name in ("one", "two"):
        (here / f"{name}.toml").write_text(f'data_dir = "{name}"\n')
    environment = {"POZYTYWKA_CONFIG": "one.toml"}
    assert loaded(environment=environment).general.data_dir == "one"
    assert loaded(Path("two.toml"), environment=environment).general.data_dir == "two"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('datadir = "x"', ["pozytywka.toml:1", "'datadir'", "data_dir"]),
        ("\n[similar]\nfactor = 3", ["pozytywka.toml:3", "'similar.factor'", "similar.factors"]),
        ("[similar]\nfactors = '3'", ["pozytywka.toml:2", "similar.factors", "'3'"]),
        ("[similar]\nfactors = 3.5", ["pozytywka.toml:2", "similar.factors", "3.5"]),
        ("[similar]\nfactors = 99999999999999999999999999", ["pozytywka.toml:2", "similar.factors"]),
        ("[similar]\nalpha = nan", ["pozytywka.toml:2", "similar.alpha"]),
        ("[other]\nx = 1", ["pozytywka.toml:2", "'other'", "[similar]"]),
        ("skip = 3", ["pozytywka.toml:1", "skip is a section"]),
        ("[[similar]]\nfactors = 3", ["pozytywka.toml", "similar is a section"]),
        ("[similar.factors]\nx = 3", ["pozytywka.toml", "similar.factors"]),
        ("[similar.x]\ny = 3", ["pozytywka.toml", "'similar.x'"]),
        ("[data_dir]\nx = 3", ["pozytywka.toml", "'data_dir'"]),
        ("'a.b.c' = 3", ["pozytywka.toml", "'a.b'"]),
        ("'' = 3", ["pozytywka.toml", "''"]),
        ("log_format = 'xml'", ["pozytywka.toml:1", "log_format", "'xml'"]),
        ("log_format = 2026-01-01", ["pozytywka.toml:1", "log_format"]),
        ('data_dir = "a\\u0000b"', ["pozytywka.toml:1", "data_dir"]),
        ("data_dir = \n", ["pozytywka.toml", "line 1"]),
        ("x = " + "9" * 5000, ["pozytywka.toml"]),
        ("x = " + "[" * 3000 + "]" * 3000, ["pozytywka.toml"]),
    ],
)
def test_a_file_with_a_mistake(text: str, words: list[str], here: Path) -> None:
    """The message names the file, the line where there is one, and the key."""
    (here / "pozytywka.toml").write_text(text)
    message = refused()
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("text", ["tool = 3\n", "[[tool]]\nx = 1\n", "[tool]\npozytywka = []\n"])
def test_a_tool_table_that_is_no_table(text: str, here: Path) -> None:
    """Refused with the file's name."""
    (here / "pyproject.toml").write_text(text)
    assert "pyproject.toml" in refused()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POZYTYWKA_DATADIR", "x"),
        ("POZYTYWKA_SIMILAR_FACTOR", "3"),
        ("POZYTYWKA_SIMILAR_FACTORS", "many"),
        ("POZYTYWKA_LOG_FORMAT", "xml"),
        ("POZYTYWKA_LOG_FORMAT", "\udcff"),
        ("POZYTYWKA_DATA_DIR", "\udcff"),
        ("POZYTYWKA_SIMILAR_FACTORS", "\udcff"),
        ("POZYTYWKA_SIMILAR_FACTORS", "9" * 5000),
        ("POZYTYWKA_DATA_DIR", "~nobody-of-this-name/data"),
        ("POZYTYWKA_CONFIG", "~nobody-of-this-name/x.toml"),
        ("POZYTYWKA_CONFIG", "\udcff.toml"),
    ],
)
def test_an_environment_with_a_mistake(name: str, value: str) -> None:
    """The message names the variable, or of the configuration the file; bytes that are not UTF-8 are surrogates."""
    message = refused(environment={name: value})
    assert name in message or value in message


@pytest.mark.parametrize("text", ["similar.factors", "=3", "a.b.c=3", "similar factors=3"])
def test_an_override_that_sets_nothing(text: str) -> None:
    """The text is quoted."""
    with pytest.raises(UsageError, match="--set"):
        parse_override(text)


def test_a_file_that_is_missing_or_not_text(here: Path) -> None:
    """A file that is named must be there and must be UTF-8."""
    assert str(here / "none.toml") in refused(here / "none.toml")
    assert str(here) in refused(here)
    (here / "pozytywka.toml").write_bytes(b'data_dir = "\xff"')
    assert "pozytywka.toml is not UTF-8" in refused()


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
@pytest.mark.parametrize("name", ["pozytywka.toml", "pyproject.toml", "named.toml"])
def test_a_configuration_that_is_no_regular_file(name: str, make: Callable[[Path], None], here: Path) -> None:
    """A pipe, which would be waited for, a folder and a device are refused, named or not; a link to a file is read."""
    make(here / name)
    assert name in refused(Path(name) if name == "named.toml" else None)
    (here / "file.toml").write_text('data_dir = "logs"\n')
    (here / "link.toml").symlink_to("file.toml")
    assert loaded(Path("link.toml")).general.data_dir == "logs"


def test_home_folders_are_expanded(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` and `~user` at the beginning, from every source, also of the configuration's own path."""
    monkeypatch.setenv("HOME", str(here / "home"))
    user = pwd.getpwuid(os.getuid())
    (here / "home").mkdir()
    (here / "home" / "my.toml").write_text(f'data_dir = "~/data"\nartifacts_dir = "~{user.pw_name}/models"\n')
    expected = (str(here / "home" / "data"), f"{user.pw_dir}/models")
    for general in (
        loaded(Path("~/my.toml")).general,
        loaded(environment={"POZYTYWKA_CONFIG": "~/my.toml"}).general,
        loaded(
            overrides=[Assigned("data_dir", "~/data", "--data-dir")],
            environment={"POZYTYWKA_ARTIFACTS_DIR": f"~{user.pw_name}/models"},
        ).general,
    ):
        assert (general.data_dir, general.artifacts_dir) == expected
    assert loaded(environment={"POZYTYWKA_DATA_DIR": "./~"}).general.data_dir == "./~"
    assert loaded(environment={"POZYTYWKA_DATA_DIR": "a~b"}).general.data_dir == "a~b"


def test_every_number_is_bounded() -> None:
    """A slip of some zeros is refused, and does not ask for more memory than there is; the default is far below."""
    for section, kind in SECTIONS.items():
        for field in msgspec.structs.fields(kind):
            if isinstance(field.default, int | float):
                for number in ("1e300", "9" * 18, "-1", "nan", "inf"):
                    name = f"POZYTYWKA_{section}_{field.name}".upper()
                    assert name in refused(environment={name: number})
