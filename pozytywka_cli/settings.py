"""What can be configured: one strict tree of values, and the precedence flag, environment, file, default."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from pozytywka_cli.errors import UsageError

Count = Annotated[int, msgspec.Meta(ge=1)]
Positive = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
NotNegative = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class SkipSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the skip models are made (the design's values).

    `advanced` has `layers` of units, `width` in the first and half as many in each further one; `smoothing` multiplies
    the plays of prior that every past rate starts from.
    """

    layers: Annotated[int, msgspec.Meta(ge=1, le=8)] = 2
    width: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 64
    smoothing: Positive = 1.0
    epochs: Count = 25
    batch_size: Count = 256
    learning_rate: Positive = 2e-3
    weight_decay: NotNegative = 0.05
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.3
    patience: Count = 5
    forest_rows: Count = 200_000


class WeeklySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is forecast each week, of a `horizon` of weeks ahead, and how (the design's values, with more patience).

    `measure` is all listening of an artist in a week, or one listen's mean; `window` and `test_weeks` are in weeks.
    """

    measure: Literal["total", "mean"] = "total"
    horizon: Annotated[int, msgspec.Meta(ge=1, le=13)] = 1
    window: Count = 26
    hidden: Count = 32
    epochs: Count = 30
    batch_size: Count = 512
    learning_rate: Positive = 3e-3
    weight_decay: NotNegative = 1e-4
    patience: Count = 8
    test_weeks: Count = 8


class SimilarSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the artists' factors are found by alternating least squares.

    A user's count of an artist becomes a weight, and `alpha` times it the confidence that the user likes the artist.
    """

    weighting: Literal["log1p", "bm25", "raw"] = "log1p"
    factors: Count = 128
    regularization: NotNegative = 100.0
    alpha: Annotated[float, msgspec.Meta(ge=1e-9, le=1e9)] = 5.0  # with less, weights are lost in single precision
    iterations: Count = 40
    min_listeners: Count = 3


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that `pozytywka.toml` may hold."""

    data_dir: str = "data"
    artifacts_dir: str = "artifacts"
    log_format: Literal["text", "json"] = "text"
    skip: SkipSettings = SkipSettings()
    weekly: WeeklySettings = WeeklySettings()
    similar: SimilarSettings = SimilarSettings()


def load(config: Path | None, overrides: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force: `overrides` (flags that were given), then `POZYTYWKA_*`, then the file, then defaults.

    `POZYTYWKA_DATA_DIR` sets `data_dir`, `POZYTYWKA_SIMILAR_FACTORS` sets `factors` in `[similar]`.

    Raises:
        UsageError: a file that cannot be read, an unknown key or a value of a wrong type, each named.
    """
    source, tree = _from_file(config, environment)
    settings = _convert(tree, source, strict=True)
    settings = _convert(
        _merged(settings, _from_environment(environment)), "the environment (POZYTYWKA_*)", strict=False
    )
    return changed(settings, {key: value for key, value in overrides.items() if value is not None})


def changed(settings: Settings, flags: Mapping[str, Any]) -> Settings:
    """The settings with what the command line says; a section's part of it is a mapping.

    Raises:
        UsageError: a value of a wrong type or out of range.
    """
    return _convert(_merged(settings, flags), "the command line", strict=True)


def _from_file(config: Path | None, environment: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The first configuration found: the one named, `pozytywka.toml` here, or `[tool.pozytywka]` here."""
    named = config or (Path(environment["POZYTYWKA_CONFIG"]) if environment.get("POZYTYWKA_CONFIG") else None)
    if named:
        return str(named), _beside(named, _table(named, _parse(named)))
    for path in (Path("pozytywka.toml"), Path("pyproject.toml")):
        if path.is_file() and (tree := _table(path, _parse(path))):
            return str(path), _beside(path, tree)
    return "the defaults", {}


def _beside(path: Path, tree: dict[str, Any]) -> dict[str, Any]:
    """The settings of a file, whose relative paths begin where it lies: a cron job may start anywhere."""
    folders = {key: tree[key] for key in ("data_dir", "artifacts_dir") if isinstance(tree.get(key), str)}
    return tree | {key: str(path.parent / folder) for key, folder in folders.items()}


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the configuration {path}: {error.strerror}", "Check --config.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not TOML: {error}", "Mend that line, or name another file with --config."
        ) from None


def _table(path: Path, tree: dict[str, Any]) -> dict[str, Any]:
    if path.name != "pyproject.toml":
        return tree
    tools = tree.get("tool", {})
    table: dict[str, Any] = tools.get("pozytywka", {}) if isinstance(tools, dict) else {}
    return table


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """`POZYTYWKA_*` as a tree; a name that starts with a section's name sets a key of that section."""
    tree: dict[str, Any] = {}
    for name, value in environment.items():
        key = name.removeprefix("POZYTYWKA_").lower()
        if key == name.lower() or key == "config" or not value:
            continue
        section, _, rest = key.partition("_")
        if section in ("skip", "weekly", "similar"):
            tree.setdefault(section, {})[rest] = value
        else:
            tree[key] = value
    return tree


def _merged(settings: Settings, changes: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = msgspec.to_builtins(settings)
    for key, value in changes.items():
        tree[key] = {**tree.get(key, {}), **value} if isinstance(value, dict) else value
    return tree


def _convert(tree: dict[str, Any], source: str, *, strict: bool) -> Settings:
    try:
        return msgspec.convert(tree, Settings, strict=strict)
    except msgspec.ValidationError as error:
        raise UsageError(f"{source}: {error}", f"Mend or remove it; known are {_known_keys()}.") from None


def _known_keys() -> str:
    sections = {"skip": SkipSettings, "weekly": WeeklySettings, "similar": SimilarSettings}
    plain = [key for key in Settings.__struct_fields__ if key not in sections]
    return "; ".join(
        [", ".join(plain), *(f"[{name}] {', '.join(of.__struct_fields__)}" for name, of in sections.items())]
    )
