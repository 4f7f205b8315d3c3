"""Values that are possible but unusual, and columns in another unit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pozytywka_cli.dataset.transform import transform
from pozytywka_cli.dataset.validate import Checked
from pozytywka_cli.errors import RefusedError

USUAL = [180_000, 200_000, 215_500, 240_000, 600_000]


def durations(line: Callable[..., str], values: list[Any]) -> list[str]:
    """Tracks of these durations, all else alike."""
    return [line("tracks", id=f'"t{n}"', name=f'"{n}"', duration_ms=str(value)) for n, value in enumerate(values, 1)]


@pytest.mark.parametrize(
    ("factor", "unit", "broken"),
    [(1000, "microseconds", {"range", "unusual"}), (10**6, "nanoseconds", {"range"}), (0.001, "seconds", {"unusual"})],
)
def test_a_column_in_another_unit_is_named(
    factor: float,
    unit: str,
    broken: set[str],
    line: Callable[..., str],
    folder: Callable[..., Path],
    checked: Callable[..., Checked],
) -> None:
    """Every violation says which unit the values seem to have, and so does a hint."""
    values = [int(value * factor) for value in (10_000_000 // 1000, *USUAL, *USUAL)]
    checks = checked(folder(tracks=durations(line, values)))
    violations = [v for v in checks.violations if v.column == "duration_ms"]
    assert {violation.rule for violation in violations} == broken
    assert all(unit in example.value for violation in violations for example in violation.examples)
    [hint] = checks.hints
    assert "tracks.duration_ms" in hint
    assert unit in hint


def test_some_values_in_another_unit_are_named(
    line: Callable[..., str], folder: Callable[..., Path], tmp_path: Path
) -> None:
    """A few tracks of a delivery in microseconds are refused with that reason."""
    place = folder(tracks=durations(line, [*USUAL * 10, 180_000_000, 200_000_000, 210_000_000]))
    with pytest.raises(RefusedError) as raised:
        transform(place, tmp_path / "plays.parquet")
    assert "tracks.duration_ms looks like microseconds" in raised.value.hint
    assert raised.value.exit_code == 3


def test_shares_in_percent_are_named(
    line: Callable[..., str], folder: Callable[..., Path], checked: Callable[..., Checked]
) -> None:
    """Shares of 1 that run to 100 are out of range, and their unit is told."""
    lines = [line("tracks", id=f'"t{n}"', name=f'"{n}"', energy=str(n * 9)) for n in range(1, 11)]
    assert ["tracks.energy" in hint and "percent" in hint for hint in checked(folder(tracks=lines)).hints] == [True]


@pytest.mark.parametrize("values", [USUAL, [3_000, *USUAL], [15_000_000, *USUAL], [2**62, *USUAL], [1], [-5, 0, 2]])
def test_usual_values_have_the_declared_unit(
    values: list[int], line: Callable[..., str], folder: Callable[..., Path], checked: Callable[..., Checked]
) -> None:
    """A jingle, a mix of four hours or a single mistake says nothing about the column."""
    assert checked(folder(tracks=durations(line, values))).hints == []


def test_numbers_of_any_size_overflow_nowhere(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """The largest integers, and larger ones, are out of range or of a wrong type, each on its own line."""
    values = [2**62, 2**63 - 1, 2**63, 10**400, -(2**62), -(2**63), -(10**400)]
    lines = durations(line, values)
    broken = {(rule, count) for _, rule, column, _, count, _ in found(folder(tracks=lines), "tracks") if column}
    assert {("range", 4), ("type", 3)} <= broken
