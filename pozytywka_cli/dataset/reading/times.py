"""Convert times to UTC: ISO 8601 text, and seconds, milliseconds, microseconds or nanoseconds since 1970."""

from datetime import UTC, datetime
from itertools import pairwise

import polars as pl

UNITS = ("seconds", "milliseconds", "microseconds", "nanoseconds")  # a time's unit is a position in it
# numbers below these are of the unit at the same position: all up to the year 5138, which leaves no doubt
LIMITS = (10**11, 10**14, 10**17)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
EARLIEST_SECONDS = int(EARLIEST.timestamp())

ISO = "%Y-%m-%dT%H:%M:%S%.f"
BASIC = r"^(\d{4})(\d\d)(\d\d)[Tt](\d\d)(\d\d)(\d\d)"  # 20250303T080315
OTHER = (
    r"^\s*(\d{4}-\d\d-\d\d)"
    r"(?:(?:[Tt]|\s+)(\d\d:\d\d)(:\d\d)?(?:[.,](\d+))?\s*(?:([Zz]|UTC|GMT)|([+-]\d\d):?(\d\d)?)?)?\s*$"
)
NUMBER = r"^\s*(\d+)(?:\.(\d*))?\s*$"
# what Python's `datetime` can hold, in microseconds since 1970
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}


def parse(written: pl.Series) -> pl.DataFrame:
    """Return the columns time (µs, UTC) and unit (a position in `UNITS`; null where it does not matter).

    `written` holds text, integers (numbers since 1970) or datetimes; a time without an offset is UTC. The time is null
    where there is none, or it lies outside of the years 1 to 9999.
    """
    if isinstance(written.dtype, pl.Datetime):
        return _parsed(_from_datetimes(written))
    if written.dtype.is_integer():
        return _from_numbers(written, pl.lit(0))
    times = written.str.to_datetime(ISO, time_unit="us", strict=False)
    if times.null_count() == written.null_count():
        return _parsed(_bounded(times))
    return _from_other_text(times, pl.select(pl.when(times.is_null()).then(written)).to_series())


def _parsed(times: pl.Series) -> pl.DataFrame:
    return pl.select(time=times.dt.replace_time_zone("UTC"), unit=pl.lit(None, pl.UInt8))


def _bounded(times: pl.Series) -> pl.Series:
    number = times.to_physical()
    low, high = number.min(), number.max()
    if low is None or (low >= FIRST and high <= LAST):  # type: ignore[operator]
        return times
    return pl.select(pl.when(number.is_between(FIRST, LAST)).then(times)).to_series()


def _from_datetimes(written: pl.Series) -> pl.Series:
    """Convert to microseconds; out of bounds there is no arithmetic, which would overflow or panic."""
    assert isinstance(written.dtype, pl.Datetime)
    number, per_second = written.to_physical(), PER_SECOND[written.dtype.time_unit]
    seconds = number // per_second
    known = seconds.is_between(FIRST // 10**6, LAST // 10**6)
    microseconds = pl.when(known).then(seconds * 10**6 + (number % per_second) * 10**6 // per_second)
    return pl.select(microseconds.cast(pl.Datetime("us"))).to_series()


def _from_numbers(whole: pl.Series, millionths: pl.Expr) -> pl.DataFrame:
    """Convert numbers since 1970, whose unit follows from their size; negative ones are none."""
    numbers, number = pl.DataFrame({"whole": whole.cast(pl.Int64)}), pl.col("whole")
    times = (number * 10**6 + millionths, number * 1000 + millionths // 1000, number, number // 1000)
    for unit, (low, high) in enumerate(pairwise((EARLIEST_SECONDS, *LIMITS, 2**63))):
        if numbers.select(number.is_between(low, high, closed="left").all()).item():  # most columns have one unit
            return numbers.select(
                time=times[unit].cast(pl.Datetime("us", "UTC")),
                unit=pl.when(number.is_not_null()).then(pl.lit(unit, pl.UInt8)),
            )
    bounds = list(pairwise((0, *LIMITS, 2**63)))
    inside = [number.is_between(low, high, closed="left") for low, high in bounds]
    time = pl.coalesce(pl.when(here).then(time) for here, time in zip(inside, times, strict=True))
    size = pl.coalesce(pl.when(here).then(pl.lit(unit, pl.UInt8)) for unit, here in enumerate(inside))
    known = pl.when(number >= EARLIEST_SECONDS).then(size)  # smaller ones lie before 2000 in any unit
    return numbers.select(time=time.cast(pl.Datetime("us", "UTC")), unit=known)


def _from_other_text(times: pl.Series, rest: pl.Series) -> pl.DataFrame:
    """Parse what is not in the usual form: other ISO forms, and numbers since 1970."""
    number = rest.str.extract_groups(NUMBER).struct.unnest()
    millionths = number["2"].fill_null("").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64, strict=False)
    since_1970 = _from_numbers(number["1"].cast(pl.Int64, strict=False), pl.lit(millionths))
    if since_1970["time"].null_count() == rest.null_count() and times.is_null().all():
        return since_1970
    part = rest.str.replace(BASIC, "${1}-${2}-${3}T${4}:${5}:${6}").str.extract_groups(OTHER).struct.unnest()
    fraction = part["4"].fill_null("0").str.slice(0, 9)
    clock = part["2"].fill_null("00:00") + part["3"].fill_null(":00") + "." + fraction
    naive = part["1"] + "T" + clock
    zoned = naive + part["6"] + ":" + part["7"].fill_null("00")
    naive = pl.select(pl.when(part["6"].is_null()).then(naive)).to_series()
    iso = naive.str.to_datetime(ISO, time_unit="us", strict=False)
    offset = zoned.str.to_datetime(f"{ISO}%:z", time_unit="us", strict=False, time_zone="UTC")
    found = pl.select(pl.coalesce(times, iso, offset.dt.replace_time_zone(None))).to_series()
    time = pl.coalesce(_bounded(found).dt.replace_time_zone("UTC"), since_1970["time"])
    return pl.select(time=time, unit=since_1970["unit"])


def written_number(time: pl.Expr, unit: int) -> pl.Expr:
    """Return the number since 1970 that a time was written as, as text."""
    microseconds = time.to_physical()
    numbers = (microseconds // 10**6, microseconds // 1000, microseconds, microseconds * 1000)
    return numbers[unit].cast(pl.String)
