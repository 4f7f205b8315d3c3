"""Convert plays to lines of the event log and to rows of the ground truth."""

from typing import BinaryIO

import numpy as np
import polars as pl

from pozytywka_cli.dataset.sample.listening import Plays
from pozytywka_cli.dataset.sample.random_draws import Ints

# in the order in which they stand between two plays
EVENTS = ("ADVERTISEMENT", "BUY_PREMIUM", "PLAY", "LIKE", "SKIP")
WITHOUT_TRACK = 2  # the first two name no track
LINE = '{{"timestamp": "{}", "user_id": {}, "track_id": "{}", "event_type": "{}", "session_id": {}}}'


def event_rows(
    rng: np.random.Generator, plays: Plays, user_id: Ints, session_id: Ints, track_ids: pl.Series, epoch: int
) -> pl.DataFrame:
    """Return the columns of sessions.jsonl, in the order of the file.

    `user_id` and `session_id` (plays,) are those of the log; `epoch` is the first Monday in ms.
    """
    before = plays.started - plays.lead
    like = plays.started + rng.integers(1, plays.listened)
    times = np.column_stack([before, before, plays.started, like, plays.started + plays.listened])
    always = np.ones_like(plays.skipped)
    happens = np.column_stack([plays.advertisement, plays.purchase, always, plays.liked, plays.skipped])
    play, event = np.nonzero(happens)
    track = np.where(event < WITHOUT_TRACK, len(track_ids), plays.track[play])
    return pl.DataFrame(
        {
            "timestamp": pl.Series(times[happens] + epoch).cast(pl.Datetime("ms")),
            "user_id": user_id[play],
            "track_id": pl.concat([track_ids, pl.Series([""])])[track],
            "event_type": pl.Series(EVENTS)[event],
            "session_id": session_id[play],
        }
    )


def write_events(rows: pl.DataFrame, file: BinaryIO) -> None:
    """Append the lines; as in 2023, whole seconds have no fraction."""
    timestamp = pl.col("timestamp").dt.to_string("%Y-%m-%dT%H:%M:%S%.6f").str.strip_suffix(".000000")
    lines = rows.select(pl.format(LINE, timestamp, *rows.columns[1:]))
    lines.write_csv(file, include_header=False, quote_style="never")


def skip_rows(plays: Plays, user_id: Ints, session_id: Ints, track_ids: pl.Series, epoch: int) -> pl.DataFrame:
    """Return one row for each PLAY with the true probability of a skip, by user, session and time."""
    return pl.DataFrame(
        {
            "user_id": user_id,
            "session_id": session_id,
            "track_id": track_ids[plays.track],
            "started_at": pl.Series(plays.started + epoch).cast(pl.Datetime("ms")).cast(pl.Datetime("us", "UTC")),
            "probability": plays.probability,
        }
    )
