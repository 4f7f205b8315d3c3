"""Settings and where they come from: command line, environment, configuration file, default.

A setting is named by a dotted key: `data_dir`, or `similar.factors` in the section of a family.
"""

import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from pozytywka_cli import files
from pozytywka_cli.errors import UsageError

MOST_BYTES = 2**20  # of a configuration file
PREFIX = "POZYTYWKA_"
COLUMNS = "columns"  # the section that maps names of columns
FOLDERS = ("data_dir", "artifacts_dir")
PATH = r"^[^\0]*$"

# upper bounds keep a slip from asking for more memory or time than any machine has
Count = Annotated[int, msgspec.Meta(ge=1, le=10**9)]
Positive = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
NotNegative = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
S = TypeVar("S", bound=msgspec.Struct)


class General(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings outside of any section."""

    data_dir: Annotated[str, msgspec.Meta(pattern=PATH, description="folder with the five tables")] = "data"
    artifacts_dir: Annotated[
        str, msgspec.Meta(pattern=PATH, description="folder for plays, models and predictions")
    ] = "artifacts"
    log_format: Annotated[Literal["text", "json"], msgspec.Meta(description="format of messages on stderr")] = "text"
    database_url: Annotated[
        str,
        msgspec.Meta(description="PostgreSQL or SQLite database of experiments; default: a file in artifacts_dir"),
    ] = ""


class Assigned(msgspec.Struct, frozen=True):
    """A value that was given to a setting, and where; `text` values are converted to the setting's type."""

    key: str
    value: Any
    source: str
    text: bool = False


class Described(msgspec.Struct, frozen=True):
    """A setting as it is in force: its value, where that comes from, and what it does."""

    key: str
    value: Any
    source: str
    description: str


class Settings(msgspec.Struct, frozen=True):
    """The settings in force; `assigned` holds those that differ from their defaults or were given, by key."""

    assigned: Mapping[str, Assigned]

    @property
    def general(self) -> General:
        """The settings outside of any section."""
        return self.section("", General)

    @property
    def configured_sections(self) -> list[str]:
        """The sections of which at least one setting was given."""
        sections = dict.fromkeys(key.rpartition(".")[0] for key in self.assigned if "." in key)
        return [name for name in sections if name.partition(".")[0] != COLUMNS]

    @property
    def columns(self) -> dict[str, str]:
        """The names that columns have in files, by `table.column`."""
        return {name.key.removeprefix(f"{COLUMNS}."): name.value for name in self.column_names}

    @property
    def column_names(self) -> list[Assigned]:
        """What was given in the section that maps names of columns."""
        return [given for key, given in self.assigned.items() if key.startswith(f"{COLUMNS}.")]

    def section(self, name: str, kind: type[S]) -> S:
        """Return the settings of a section, `name` "" for those outside of any; a UsageError names an unusable one."""
        split = [(*key.rpartition("."), given) for key, given in self.assigned.items()]
        return kind(**{field: _converted(given, field, kind) for section, _, field, given in split if section == name})

    def described(self, name: str, kind: type[msgspec.Struct]) -> Iterator[Described]:
        """Yield every setting of a section."""
        section = self.section(name, kind)
        for field in msgspec.structs.fields(kind):
            key = f"{name}.{field.name}" if name else field.name
            source = self.assigned[key].source if key in self.assigned else "default"
            metas = getattr(field.type, "__metadata__", ())
            description = next((meta.description for meta in metas if meta.description), "")
            yield Described(key, _without_password(getattr(section, field.name)), source, description)


def load(
    config: Path | None,
    overrides: Sequence[Assigned],
    *,
    sections: Collection[str],
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Collect the settings: `overrides` (the command line), then `POZYTYWKA_*`, then the file, then defaults.

    `POZYTYWKA_DATA_DIR` sets `data_dir`, `POZYTYWKA_SIMILAR_FACTORS` sets `similar.factors`. A file that cannot be
    read and an unknown section or general setting are a UsageError.
    """
    layers = [*_from_file(config, environment), *_from_environment(environment, sections), *overrides]
    settings = Settings({given.key: _with_home(given) for given in layers})
    for key, given in settings.assigned.items():
        section, dot, _ = key.rpartition(".")
        if section.partition(".")[0] == COLUMNS:
            continue
        if dot and section not in sections:
            known = ", ".join([*General.__struct_fields__, *(f"[{name}]" for name in sections)])
            raise UsageError(f"{given.source}: unknown section {section!r}", f"Known are {known}.")
        if key in sections:
            raise UsageError(f"{given.source}: {key} is a section, not a setting", "Set one of its keys.")
    _ = settings.general
    return settings


def _without_password(value: Any) -> Any:
    """Return a setting's value as it may be shown: the password of an URL is replaced by `***`."""
    return re.sub(r"(?<=://)([^/@:]*):[^@]*@", r"\1:***@", value) if isinstance(value, str) else value


def parse_override(text: str) -> Assigned:
    """Parse `similar.factors=64`, as `--set` takes it; a UsageError if there is no key or no `=`."""
    key, equals, value = text.partition("=")
    if not (equals and re.fullmatch(r"[\w-]+(\.[\w-]+)?", key.strip())):
        raise UsageError(f"--set {text!r} sets nothing", "Write it as --set similar.factors=64.")
    return Assigned(key.strip().replace("-", "_"), value.strip(), "--set", text=True)


def _with_home(given: Assigned) -> Assigned:
    """Expand `~` and `~user` at the beginning of a folder."""
    if given.key not in FOLDERS or not isinstance(given.value, str):
        return given
    return msgspec.structs.replace(given, value=_expanded(given.value, given.source))


def _expanded(path: str, source: str) -> str:
    expanded = os.path.expanduser(path)  # noqa: PTH111 - Path("./~") is Path("~"), which a shell does not expand
    if expanded.startswith("~"):
        user = path.partition("/")[0]
        raise UsageError(f"{source}: {user} is nobody's home folder", "Write the folder itself in its place.")
    return expanded


def _converted(given: Assigned, name: str, kind: type[msgspec.Struct]) -> Any:
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    if name not in fields:
        known = ", ".join(given.key.removesuffix(name) + field for field in fields)
        raise UsageError(f"{given.source}: unknown setting {given.key!r}", f"Known are {known}.")
    try:
        if isinstance(given.value, str):
            given.value.encode()  # bytes of the environment that are not UTF-8 are surrogates
        return msgspec.convert(given.value, fields[name], strict=not given.text)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        problem = f"{given.source}: {given.key} = {given.value!r}: {error}"
        raise UsageError(problem, "Correct it; `pozytywka settings` lists all settings.") from None


def _from_file(config: Path | None, environment: Mapping[str, str]) -> Iterator[Assigned]:
    """Yield the settings of the first configuration found: the named one, `pozytywka.toml`, or `[tool.pozytywka]`."""
    variable = environment.get(f"{PREFIX}CONFIG")
    source = "--config" if config else f"the environment variable {PREFIX}CONFIG"
    named = Path(_expanded(str(config or variable), source)) if config or variable else None
    for path in [named] if named else [Path("pozytywka.toml"), Path("pyproject.toml")]:
        if path == named or os.path.lexists(path):
            text, table = _read(path)
            yield from _assignments(path, text, table)
            if table:
                return


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the text of a configuration file, and its table; of a pyproject.toml only `[tool.pozytywka]`."""
    try:
        text = files.read_regular(path, limit=MOST_BYTES).decode("utf-8-sig")
        table = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"cannot read the configuration {path}: {error.strerror}", "Check --config.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: byte {error.start + 1}", "Save it as UTF-8.") from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or an integer of thousands of digits
        hint = "Correct that line, or name another file with --config."
        raise UsageError(f"{path} is not TOML: {error}", hint) from None
    for name in ("tool", "pozytywka") if path.name == "pyproject.toml" else ():
        table = table.get(name, {})
        if not isinstance(table, dict):
            raise UsageError(f"{path}: {name!r} is not a table", "Write it as [tool.pozytywka].")
    return text, table


def _assignments(path: Path, text: str, table: dict[str, Any]) -> Iterator[Assigned]:
    sections = {key: value for key, value in table.items() if isinstance(value, dict)}
    values = {key: value for key, value in table.items() if key not in sections}
    for key, section in sections.items():
        values |= _flat(key, section) if key == COLUMNS else {f"{key}.{name}": one for name, one in section.items()}
    for key, value in values.items():
        # relative folders begin where the file lies: a cron job may start anywhere
        line = _line(text, key)
        given = _with_home(Assigned(key, value, f"{path}:{line}" if line else str(path)))
        is_folder = key in FOLDERS and isinstance(given.value, str)
        yield msgspec.structs.replace(given, value=str(path.parent / given.value)) if is_folder else given


def _flat(key: str, value: Any) -> dict[str, Any]:
    """Return nested tables as one, with dotted keys."""
    if not isinstance(value, dict):
        return {key: value}
    return {inner: one for name, part in value.items() for inner, one in _flat(f"{key}.{name}", part).items()}


def _line(text: str, key: str) -> int | None:
    """Return the line of a configuration file on which a key is set; None where it is written in an unusual way."""
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([\w.-]+)\]", line):
            table = header[1].removeprefix("tool.pozytywka").removeprefix(".")
        elif (found := re.match(r"\s*([\w.-]+)\s*=", line)) and key == f"{table}.{found[1]}".removeprefix("."):
            return number
    return None


def _from_environment(environment: Mapping[str, str], sections: Collection[str]) -> Iterator[Assigned]:
    for name, value in environment.items():
        key = name.removeprefix(PREFIX).lower()
        if not name.startswith(PREFIX) or key == "config" or not value:
            continue
        section = next((section for section in sections if key.startswith(f"{section}_")), None)
        dotted = f"{section}.{key.removeprefix(f'{section}_')}" if section else key
        yield Assigned(dotted, value, f"the environment variable {name}", text=True)
