"""Cases: what a log says - reactions, clocks, holes."""

from collections.abc import Callable
from datetime import datetime, timedelta

from .case import Case, Data, changed

PLAYS, REACTIONS, OF_101 = 2139, 1241, 414  # PLAYs, SKIPs and LIKEs of the sample, and events of user 101
OTHER = "s1O5SSWqeLr2xQFIaMnAJJ"  # a track


def inserted(kind: str, track: str | None, places: int) -> Callable[[Data], None]:
    """After some PLAYs of other tracks, let their users react to this one half a second later."""

    def change(data: Data) -> None:
        rows, done = data.rows("sessions"), 0
        for position in reversed(data.events("PLAY")):
            row = rows[position]
            if row["track_id"] != track and done < places:
                at = datetime.fromisoformat(row["timestamp"]) + timedelta(seconds=0.5)
                rows.insert(position + 1, row | {"timestamp": at.isoformat(), "track_id": track, "event_type": kind})
                done += 1
        data.write("sessions", rows)

    return change


def damaged_play(data: Data) -> None:
    """Damage the line of a PLAY that follows another PLAY and is skipped."""
    rows, lines = data.rows("sessions"), data.lines("sessions")
    position = next(
        at
        for at, row in enumerate(rows[1:-1], 1)
        if (rows[at - 1]["event_type"], row["event_type"], rows[at + 1]["event_type"]) == ("PLAY", "PLAY", "SKIP")
        and rows[at - 1]["session_id"] == row["session_id"]
    )
    lines[position] = lines[position][:-5]
    data.write("sessions", lines)


def with_clock_of_2010(data: Data) -> None:
    rows = data.rows("sessions")
    for number, row in enumerate(rows[:12]):
        row["timestamp"] = f"2010-01-01T00:{number:02}:00"
    data.write("sessions", rows)


def clock_of_a_stranger(data: Data) -> None:
    """Add twelve plays of 2010 by a user who plays nothing else."""
    rows = data.rows("sessions")
    play = {"user_id": 112, "track_id": OTHER, "event_type": "PLAY", "session_id": 9_999_999}
    strays = [play | {"timestamp": f"2010-01-01T00:{number:02}:00"} for number in range(12)]
    data.write("sessions", [*strays, *rows])


def tracks_without_artist(data: Data) -> None:
    """Take the artist from all tracks of the first one in the file."""
    rows = data.rows("tracks")
    first = rows[0]["id_artist"]
    data.write("tracks", [row | {"id_artist": None} if row["id_artist"] == first else row for row in rows])


def of_one_user_a_decade_back(data: Data) -> None:
    rows = data.rows("sessions")
    for row in rows:
        if row["user_id"] == 101:
            row["timestamp"] = row["timestamp"].replace("2025-", "2015-").replace("2026-", "2016-")
    data.write("sessions", rows)


def only(*kinds: str) -> Callable[[Data], None]:
    return lambda data: data.write("sessions", [row for row in data.rows("sessions") if row["event_type"] in kinds])


def all_plays_damaged(data: Data) -> None:
    rows = data.rows("sessions")
    data.write("sessions", [row | {"track_id": None} if row["event_type"] == "PLAY" else row for row in rows])


CASES = [
    Case("SKIPs of another track", inserted("SKIP", OTHER, 20), {"event_track": 20}, says=("20 ",)),
    Case("LIKEs of another track", inserted("LIKE", OTHER, 20), {"event_track": 20}, says=("20 ",)),
    Case(
        "a PLAY that is damaged and was skipped",
        damaged_play,
        {"json": 1, "event_track": 1},
        code=3,
        lost=1,
        quarantine=True,
        says=("1 bad line",),
    ),
    Case("a clock of 2010", with_clock_of_2010, {"time_gap": 12}, same=False),
    Case("a user whose clock is ten years late", of_one_user_a_decade_back, {"time_gap": OF_101}, same=False),
    Case("no PLAY", only("SKIP", "LIKE"), {"orphan": REACTIONS}, transform_code=3),
    Case(
        "nothing left after quarantine",
        all_plays_damaged,
        {"required": PLAYS},
        code=3,
        transform_code=3,
        quarantine=True,
    ),
    Case("events without a track", changed("sessions", [0], track_id=None), {"required": 1}, code=3, transform_code=3),
]
