"""Make the same plays in two other ways: one DuckDB query, and a Python script that goes line by line."""

import csv
import json
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path


def duckdb_plays(folder: Path, output: Path) -> None:
    """Turn `sessions.jsonl` (epoch milliseconds) into plays with the same columns, by one query on two threads."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        connection.execute(QUERY.format(folder=folder, output=output))


QUERY = """
COPY (
    WITH events AS (
        SELECT DISTINCT user_id, session_id, "timestamp" AS moment, upper(event_type) AS event, track_id
        FROM read_json('{folder}/sessions.jsonl', format = 'newline_delimited', columns = {{
            session_id: 'BIGINT', "timestamp": 'BIGINT', user_id: 'BIGINT', track_id: 'VARCHAR', event_type: 'VARCHAR'
        }})
    ), numbered AS (
        SELECT *, (event LIKE 'ADVERTIS%')::INT + sum((event = 'PLAY')::INT) OVER earlier AS number,
            last_value(CASE WHEN event = 'PLAY' THEN track_id END IGNORE NULLS) OVER earlier AS playing
        FROM events WHERE event <> 'BUY_PREMIUM' WINDOW earlier AS (
            PARTITION BY user_id, session_id ORDER BY moment, (event = 'PLAY')::INT, track_id ROWS UNBOUNDED PRECEDING
        )
    ), grouped AS (
        SELECT user_id, session_id, number,
            max(CASE WHEN event = 'PLAY' THEN track_id END) AS track_id,
            min(CASE WHEN event = 'PLAY' THEN moment END) AS started,
            bool_or(event LIKE 'ADVERTIS%') AS advertisement_before,
            min(CASE WHEN event = 'SKIP' AND coalesce(track_id, playing) = playing THEN moment END) AS skip_at,
            bool_or(event = 'LIKE' AND coalesce(track_id, playing) = playing) AS liked
        FROM numbered GROUP BY ALL
    )
    SELECT user_id, session_id, track_id, make_timestamp(started * 1000) AS started_at, advertisement_before,
        skip_at IS NOT NULL AS skipped, liked,
        CASE WHEN skip_at IS NOT NULL THEN least(skip_at - started, duration_ms) ELSE duration_ms END AS listened_ms
    FROM grouped LEFT JOIN (
        SELECT id AS track_id, duration_ms FROM read_json('{folder}/tracks.jsonl', format = 'newline_delimited',
            columns = {{id: 'VARCHAR', duration_ms: 'BIGINT'}})
    ) USING (track_id)
    WHERE started IS NOT NULL
    ORDER BY user_id, session_id, started_at, track_id
) TO '{output}' (FORMAT parquet)
"""


def plain_python(folder: Path, output: Path) -> None:
    """Write the same plays as CSV, with the standard library only."""
    with (folder / "tracks.jsonl").open() as lines:
        durations = {track["id"]: track["duration_ms"] for track in map(json.loads, lines)}
    sessions = defaultdict(set)
    with (folder / "sessions.jsonl").open() as lines:
        for event in map(json.loads, lines):
            kind = event["event_type"].upper()
            order = (event["timestamp"], kind == "PLAY", event["track_id"] or "")
            sessions[event["user_id"], event["session_id"]].add((order, kind))
    with output.open("w", newline="") as stream:
        writer = csv.writer(stream)
        for (user, session), events in sorted(sessions.items()):
            play, start, advertised = None, 0, False
            for (at, _, track), kind in sorted(events):
                if kind == "PLAY":
                    if play:
                        writer.writerow(play)
                    started = datetime.fromtimestamp(at / 1000, UTC).isoformat()
                    play, advertised = (
                        [user, session, track, started, advertised, False, False, durations[track]],
                        False,
                    )
                    start = at
                elif kind.startswith("ADVERTIS"):
                    advertised = True
                elif play and kind == "SKIP" and not play[5] and track in ("", play[2]):
                    play[5], play[7] = True, min(at - start, durations[play[2]])
                elif play and kind == "LIKE" and track in ("", play[2]):
                    play[6] = True
            if play:
                writer.writerow(play)


if __name__ == "__main__":
    plain_python(Path(sys.argv[1]), Path(sys.argv[2]))
