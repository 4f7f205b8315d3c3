"""Settings and where they come from: command line, environment, configuration file, default.

A setting is named by a dotted key: `data_dir`, or `similar.factors` in the section of a family.
"""

import os
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from pozytywka_cli.errors import UsageError

PREFIX = "POZYTYWKA_"
FOLDERS = ("data_dir", "artifacts_dir")
PATH = r"^[^\0]*$"

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


@dataclass(frozen=True)
class Settings:
    """The settings in force; `assigned` holds those that differ from their defaults or were given, by key."""

    assigned: Mapping[str, Assigned]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Settings":
        """Make settings from values by dotted key; all others have their defaults."""
        return cls({key: Assigned(key, value, "the program") for key, value in values.items()})

    @property
    def general(self) -> General:
        """The settings outside of any section."""
        return self.section("", General)

    @property
    def configured_sections(self) -> list[str]:
        """The sections of which at least one setting was given."""
        return list(dict.fromkeys(_section(key) for key in self.assigned if "." in key))

    def section(self, name: str, kind: type[S]) -> S:
        """Return the settings of a section; `name` is empty for those outside of any.

        Raises:
            UsageError: a setting is unknown, or its value is unusable; its source is named.
        """
        values = {}
        for key, given in self.assigned.items():
            if _section(key) == name:
                values[_name(key)] = _converted(given, kind)
        return kind(**values)

    def described(self, name: str, kind: type[msgspec.Struct]) -> Iterator[Described]:
        """Yield every setting of a section."""
        section = self.section(name, kind)
        for field in msgspec.structs.fields(kind):
            key = f"{name}.{field.name}" if name else field.name
            source = self.assigned[key].source if key in self.assigned else "default"
            description = _description(msgspec.inspect.type_info(field.type))
            yield Described(key, getattr(section, field.name), source, description)


def load(
    config: Path | None,
    overrides: Sequence[Assigned],
    *,
    sections: Collection[str],
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Collect the settings: `overrides` (the command line), then `POZYTYWKA_*`, then the file, then defaults.

    `POZYTYWKA_DATA_DIR` sets `data_dir`, `POZYTYWKA_SIMILAR_FACTORS` sets `similar.factors`.

    Raises:
        UsageError: a file cannot be read, or a section or general setting is unknown.
    """
    layers = [*_from_file(config, environment), *_from_environment(environment, sections), *overrides]
    found = Settings({given.key: given for given in layers})
    for given in found.assigned.values():
        if "." in given.key and _section(given.key) not in sections:
            raise UsageError(f"{given.source}: unknown section {_section(given.key)!r}", _known(sections))
        if "." not in given.key and given.key in sections:
            raise UsageError(f"{given.source}: {given.key} is a section, not a setting", "Set one of its keys.")
    _ = found.general
    return found


def parse_override(text: str) -> Assigned:
    """Parse `similar.factors=64`, as `--set` takes it.

    Raises:
        UsageError: there is no key or no `=`.
    """
    key, equals, value = text.partition("=")
    if not (equals and re.fullmatch(r"[\w-]+(\.[\w-]+)?", key.strip())):
        raise UsageError(f"--set {text!r} sets nothing", "Write it as --set similar.factors=64.")
    return Assigned(key.strip().replace("-", "_"), value.strip(), "--set", text=True)


def variable(key: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + key.replace(".", "_").upper()


def _section(key: str) -> str:
    return key.rpartition(".")[0]


def _name(key: str) -> str:
    return key.rpartition(".")[2]


def _converted(given: Assigned, kind: type[msgspec.Struct]) -> Any:
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    if _name(given.key) not in fields:
        known = ", ".join(f"{_section(given.key)}.{name}".removeprefix(".") for name in fields)
        raise UsageError(f"{given.source}: unknown setting {given.key!r}", f"Known are {known}.")
    try:
        return msgspec.convert(given.value, fields[_name(given.key)], strict=not given.text)
    except msgspec.ValidationError as error:
        problem = f"{given.source}: {given.key} = {given.value!r}: {error}"
        raise UsageError(problem, "Correct it; `pozytywka settings` lists all settings.") from None


def _description(info: msgspec.inspect.Type) -> str:
    if isinstance(info, msgspec.inspect.Metadata):
        return (info.extra_json_schema or {}).get("description") or _description(info.type)
    return ""


def _known(sections: Iterable[str]) -> str:
    return f"Known are {', '.join([*General.__struct_fields__, *(f'[{name}]' for name in sections)])}."


def _from_file(config: Path | None, environment: Mapping[str, str]) -> Iterator[Assigned]:
    """Yield the settings of the first configuration found: the named one, `pozytywka.toml`, or `[tool.pozytywka]`."""
    variable = environment.get(f"{PREFIX}CONFIG")
    named = config or (Path(variable) if variable else None)
    for path in [named] if named else [Path("pozytywka.toml"), Path("pyproject.toml")]:
        if path == named or path.is_file():
            text = _read(path)
            table = _table(path, _parse(path, text))
            yield from _assignments(path, text, table)
            if table:
                return


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read the configuration {path}: {error.strerror}", "Check --config.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: byte {error.start + 1}", "Save it as UTF-8.") from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or an integer of thousands of digits
        hint = "Correct that line, or name another file with --config."
        raise UsageError(f"{path} is not TOML: {error}", hint) from None


def _table(path: Path, tree: dict[str, Any]) -> dict[str, Any]:
    """Return the tree of a configuration file; of a pyproject.toml only its table `[tool.pozytywka]`."""
    if path.name != "pyproject.toml":
        return tree
    for name in ("tool", "pozytywka"):
        tree = tree.get(name, {})
        if not isinstance(tree, dict):
            raise UsageError(f"{path}: {name!r} is not a table", "Write it as [tool.pozytywka].")
    return tree


def _assignments(path: Path, text: str, table: dict[str, Any]) -> Iterator[Assigned]:
    for key, value in table.items():
        for dotted, one in (
            ((f"{key}.{name}", one) for name, one in value.items()) if isinstance(value, dict) else [(key, value)]
        ):
            # relative folders begin where the file lies: a cron job may start anywhere
            placed = str(path.parent / one) if dotted in FOLDERS and isinstance(one, str) else one
            line = _line(text, dotted)
            yield Assigned(dotted, placed, f"{path}:{line}" if line else str(path))


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
