import json
import re
import shutil
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from pozytywka_cli.commands.boundary import run

from .conftest import Start
from .running import WRITING, Service
from .test_answers import problem

END = datetime(2026, 1, 5, tzinfo=UTC)  # of the sample's log; events of today would be far away from the others


def event(kind: str, minutes: float, track: str | None = None, user: int = 101, session: int = 900_001) -> Any:
    """Make an event so many minutes after the log."""
    at = END + timedelta(minutes=minutes)
    fields = {"timestamp": at.isoformat(), "user_id": user, "event_type": kind, "session_id": session}
    return fields | ({"track_id": track} if track else {})


def some_tracks(service: Service, count: int) -> list[str]:
    """Return ids of tracks."""
    lines = (service.data / "tracks.jsonl").read_text().splitlines()[:count]
    return [json.loads(line)["id"] for line in lines]


def played(service: Service) -> list[Any]:
    """Return events of two users: skips, likes, an advertisement, a purchase, ties, sessions side by side."""
    tracks = some_tracks(service, 6)
    return [
        event("PLAY", 0, tracks[0]),
        event("SKIP", 0.5, tracks[0]),
        event("ADVERTISEMENT", 0.6),
        event("PLAY", 1, tracks[1]),
        event("LIKE", 2, tracks[1]),
        event("PLAY", 2, tracks[2], session=900_002),
        event("BUY_PREMIUM", 3),
        event("PLAY", 3.5, tracks[3]),
        event("PLAY", 0, tracks[4], user=777_777),
        event("SKIP", 0.1, tracks[4], user=777_777),
        event("PLAY", 9, tracks[5], user=777_777),
    ]


def pairs(service: Service) -> list[dict[str, Any]]:
    """Return pairs of users and tracks to ask about."""
    return [
        {"user_id": user, "track_id": track} for user in (101, 102, 777_777, -5) for track in some_tracks(service, 8)
    ]


def test_answers_follow_events_as_if_the_log_had_been_read_again(start: Start, pozytywka: Any, tmp_path: Any):
    """To the last bit: what was observed, what `predict` makes of the log, and what a restarted service prepares."""
    service = start()
    before = service.post("/v1/skip", pairs(service)).json()["rows"]
    for some in (played(service)[:4], played(service)[4:5], played(service)[5:]):
        assert service.post("/v1/events", some).json()["logged"] == len(some)
    after = service.post("/v1/skip", pairs(service)).json()["rows"]
    assert after != before
    requests = tmp_path / "pairs.jsonl"
    requests.write_text("".join(json.dumps(pair) + "\n" for pair in pairs(service)))
    places = ("--data-dir", service.data, "--artifacts-dir", service.artifacts, "-q")
    printed = pozytywka("predict", "skip", requests, *places).out.splitlines()
    assert [json.loads(line) for line in printed] == after
    service.stop()
    again = start()
    assert again.post("/v1/skip", pairs(again)).json()["rows"] == after
    shutil.rmtree(again.artifacts / "skip" / "prepared")
    again.stop()
    prepared = start()
    assert prepared.post("/v1/skip", pairs(prepared)).json()["rows"] == after


def test_an_advertisement_counts_for_a_play_after_a_restart(start: Start):
    """Though the data that were prepared meanwhile have no play yet that it belongs to."""
    answers = []
    for restarted in (False, True):
        service = start()
        shutil.rmtree(service.data / "sessions", ignore_errors=True)
        tracks = some_tracks(service, 3)
        session = 900_100 + restarted
        service.post(
            "/v1/events", [event("PLAY", 0, tracks[0], 123, session), event("ADVERTISEMENT", 1, None, 123, session)]
        )
        if restarted:
            service.stop()
            shutil.rmtree(service.artifacts / "skip" / "prepared")
            service = start()
        service.post("/v1/events", event("PLAY", 2, tracks[1], 123, session))
        pair = {"user_id": 123, "track_id": tracks[2], "session_id": session}
        answers.append(service.post("/v1/skip", pair).json()["rows"])
        service.stop()
    assert answers[0] == answers[1]


def test_newer_prepared_data_replace_what_was_observed(start: Start):
    """The answers stay the same, for they are about the same events."""
    service = start()
    service.post("/v1/events", played(service))
    after = service.post("/v1/skip", pairs(service)).json()["rows"]
    since = {row["family"]: row["since"] for row in service.get("/v1/models").json()["rows"]}
    places = ["--data-dir", str(service.data), "--artifacts-dir", str(service.artifacts)]
    assert run(["-q", "models", "prepare", "skip", *places]) == 0
    for _ in range(600):
        if {row["family"]: row["since"] for row in service.get("/v1/models").json()["rows"]}["skip"] != since["skip"]:
            break
        time.sleep(0.01)
    else:
        raise AssertionError("it was not opened again")
    assert service.post("/v1/skip", pairs(service)).json()["rows"] == after


def test_events_may_come_as_one_a_list_or_lines_and_twice(start: Start):
    """One that was logged before counts once."""
    service = start()
    events = played(service)
    service.post("/v1/events", events)
    after = service.post("/v1/skip", pairs(service)).json()["rows"]
    for one in events:
        assert service.post("/v1/events", one).status_code == 202
    lines = "".join(json.dumps(one) + "\n" for one in events)
    sent = service.client.post("/v1/events", content=lines, headers=WRITING | {"content-type": "application/x-ndjson"})
    assert sent.json()["logged"] == len(events)
    assert service.post("/v1/skip", pairs(service)).json()["rows"] == after


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"event_type": "play it"}, "event_type"),
        ({"user_id": 2**63}, "user_id"),
        ({"user_id": None}, "user_id"),
        ({"timestamp": "2999-01-01T00:00:00Z"}, "timestamp"),
        ({"timestamp": "soon"}, "timestamp"),
        ({"track_id": "no such track"}, "track_id"),
        ({"track_id": None}, "track_id"),
        ({"session_id": ["x"]}, "session_id"),
    ],
)
def test_of_events_with_a_bad_one_none_is_logged(service: Service, changed: dict[str, Any], column: str):
    """The number and the column of what is wrong are named."""
    events = [event("PLAY", 0, some_tracks(service, 1)[0]) for _ in range(3)]
    before = [path.read_bytes() for path in (service.data / "sessions").glob("*.jsonl")]
    document = problem(service.post("/v1/events", [events[0], events[1] | changed, events[2]]), 422)
    assert {(one["number"], one["column"]) for one in document["problems"]} == {(2, column)}
    assert [path.read_bytes() for path in (service.data / "sessions").glob("*.jsonl")] == before


def test_what_is_odd_but_usable_is_logged_with_a_warning(start: Start):
    """A column that nobody knows, and a time without a zone."""
    service = start()
    one = event("PLAY", 0, some_tracks(service, 1)[0]) | {"device": "phone"}
    answered = service.post("/v1/events", one | {"timestamp": one["timestamp"].removesuffix("+00:00")}).json()
    assert answered["logged"] == 1
    assert answered["warnings"][0]["column"] == "device"


def test_workers_know_what_was_sent_to_others(start: Start):
    """An event that was answered is in every later answer, whichever worker makes it."""
    service = start("--workers", "2")
    pair = {"user_id": 888_888, "track_id": some_tracks(service, 1)[0]}
    for number, track in enumerate(some_tracks(service, 4)):
        service.post("/v1/events", event("PLAY", number, track, user=888_888))
        answers = set()
        for _ in range(12):
            with httpx.Client(base_url=service.client.base_url) as client:  # each connection may meet another worker
                answers.add(client.post("/v1/skip", json=pair).json()["rows"][0]["at"])
        assert len(answers) == 1
    counted = ""
    for _ in range(100):  # a request is counted after it was answered
        pattern = r'_total\{method="POST",route="/v1/skip",status="200"\} (\d+)'
        (counted,) = re.findall(pattern, service.get("/metrics").text)
        if int(counted) == 4 * 12:
            break
    assert int(counted) == 4 * 12
