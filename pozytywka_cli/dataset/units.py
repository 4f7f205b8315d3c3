"""Tell from the size of a column's values that they are probably in another unit."""

import polars as pl

from pozytywka_cli.dataset.tables import Column

NEARLY_ALL = 0.9
FEW = 3  # numbers, of which nothing can be said


def likely_unit(column: Column, numbers: pl.Series) -> str | None:
    """Return the unit that nearly all numbers seem to have: they are typical only after being divided by its factor.

    None where the column declares no units, there are only a few numbers, or they are typical as they are.
    """
    numbers = numbers.drop_nulls().cast(pl.Float64)
    if column.typical is None or len(numbers) < FEW:
        return None
    untypical = numbers.filter(~numbers.is_between(*column.typical))
    for factor, name in column.units:
        if (untypical / factor).is_between(*column.typical).sum() >= NEARLY_ALL * len(numbers):
            return name
    return None


def beyond(column: Column) -> pl.Expr:
    """Return where a value is out of range."""
    cell = pl.col(column.name)
    bounds = ((column.low, cell.lt), (column.high, cell.gt), (column.above, cell.le))
    return pl.any_horizontal(pl.lit(False), *(outside(bound) for bound, outside in bounds if bound is not None))


def of_column(column: Column, frame: pl.DataFrame) -> tuple[str | None, str | None]:
    """Return the likely unit of the whole column, and that of its values out of range.

    Only where zero is not typical do the values out of range say anything by themselves.
    """
    if column.typical is None:
        return None, None
    whole = likely_unit(column, frame[column.name])
    some = likely_unit(column, frame.filter(beyond(column))[column.name]) if column.typical[0] > 0 else None
    return whole, whole or some


def hints(name: str, columns: tuple[Column, ...], frame: pl.DataFrame) -> list[str]:
    """Return a sentence for each column of a table that seems to have another unit."""
    units = {column.name: of_column(column, frame)[1] for column in columns}
    return [f"{name}.{column} looks like {unit}: convert it." for column, unit in units.items() if unit]
