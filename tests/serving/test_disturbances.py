"""The service while models are promoted, the disk is full, and the process is killed."""

import json
import shutil
import signal
import socket
import threading
import time
from typing import Any

import httpx
import pytest

from pozytywka_cli.artifacts import Store
from pozytywka_cli.dataset.events import decode

from . import kills
from .conftest import Start
from .running import Service
from .test_answers import SKIP, problem
from .test_events import event, some_tracks

PROMOTIONS = 100


def asked_meanwhile(service: Service, stop: threading.Event, answers: list[httpx.Response]) -> threading.Thread:
    """Ask again and again, in a thread."""

    def ask() -> None:
        with httpx.Client(base_url=service.client.base_url, timeout=30) as client:
            while not stop.is_set():
                answers.append(client.post("/v1/skip", json=[SKIP, SKIP | {"user_id": 102}]))

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def test_promotions_are_picked_up_without_a_failed_or_a_mixed_answer(start: Start, pozytywka: Any):
    """A hundred promotions while clients ask: every answer is that of one version, which says so."""
    service = start()
    places = ("--data-dir", service.data, "--artifacts-dir", service.artifacts, "-q")
    assert pozytywka("train", "skip", "--variant", "user-rate", "--no-promote", *places).code == 0
    assert pozytywka("models", "prepare", "skip", "user-rate", *places).code == 0
    store = Store(service.artifacts)
    versions = store.names("skip")
    expected = {
        name: [
            row["probability"]
            for row in service.post("/v1/skip", [SKIP, SKIP | {"user_id": 102}], version=name).json()["rows"]
        ]
        for name in versions
    }
    assert len({tuple(one) for one in expected.values()}) == 2
    stop, answers = threading.Event(), list[httpx.Response]()
    threads = [asked_meanwhile(service, stop, answers) for _ in range(3)]
    try:
        for number in range(PROMOTIONS):
            name = versions[number % 2]
            with store.lock(wait=True):
                store.promote("skip", name)
            if number % 5 == 0:  # the service looks several times a second; the others come faster than that
                while service.post("/v1/skip", SKIP).json()["version"] != name:
                    time.sleep(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {answer.status_code for answer in answers} == {200}
    seen = {(one["version"], tuple(row["probability"] for row in one["rows"])) for one in (a.json() for a in answers)}
    assert seen == {(name, tuple(probabilities)) for name, probabilities in expected.items()}


@pytest.mark.parametrize("durability", ["request", "batch"])
def test_a_killed_service_has_lost_nothing_that_it_waited_for(
    prepared: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, durability: str
):
    """With `batch` at most the last thousand events and exposures; the log has whole events, and goes on after them."""
    shutil.copytree(prepared, tmp_path, symlinks=True, dirs_exist_ok=True)
    monkeypatch.setenv("POZYTYWKA_DATABASE_URL", "")
    kills.create_experiment(tmp_path)
    for written in kills.killed(tmp_path, durability, 1.5, 10**6):
        assert written.acknowledged > 0
        assert written.lost <= kills.ALLOWED[durability]
    before = kills.logged_events(tmp_path / "data")
    assert len(set(before)) == len(before)
    again = Service(tmp_path)
    track = some_tracks(again, 1)[0]
    assert again.post("/v1/events", event("PLAY", 0, track, user=999)).status_code == 202
    after = kills.logged_events(tmp_path / "data")
    assert (after[:-1], after[-1].user_id) == (before, 999)
    again.stop()


def test_a_disk_that_is_full_refuses_events_and_nothing_else(start: Start):
    """None is logged in part; answers go on, and so do events when there is room again."""
    service = start(prefix=("prlimit", "--fsize=20000"))
    track = some_tracks(service, 1)[0]
    sent = [event("PLAY", number, track, user=600) for number in range(60)]
    assert service.post("/v1/events", sent).status_code == 202
    problem(service.post("/v1/events", [event("PLAY", 90 + number, track) for number in range(100)]), 507)
    (path,) = (service.data / "sessions").glob("events-*.jsonl")
    assert len(decode(path.read_bytes())) == len(sent)
    assert service.post("/v1/skip", SKIP).status_code == 200
    assert service.post("/v1/events", [event("PLAY", 99, track, user=600)]).status_code == 202
    assert len(decode(path.read_bytes())) == len(sent) + 1


def test_a_request_that_takes_too_long_is_ended(start: Start):
    """With a problem document that says so."""
    service = start("--timeout", "0.1", "--max-requests", "100000", "--max-body", "100")
    problem(service.post("/v1/recommend", [{"user_id": 101, "count": 1000}] * 200), 503)


def test_a_service_that_is_told_to_stop_answers_what_it_has_begun(start: Start):
    """It ends in a few seconds, also while idle connections are open."""
    service = start()
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(service.post("/v1/recommend", [{"user_id": 101}] * 100)))
    thread.start()
    time.sleep(0.05)
    service.process.send_signal(signal.SIGTERM)
    thread.join()
    assert service.process.wait(10) == 0
    assert [answer.status_code for answer in answers] == [200]


def test_what_keeps_the_service_from_starting_is_said(prepared: Any, pozytywka: Any, tmp_path: Any):
    """No model, a port that is taken, a file of tokens that is none."""
    assert pozytywka("serve", "--artifacts-dir", tmp_path / "nothing").code == 4
    places = ("--data-dir", prepared / "data", "--artifacts-dir", prepared / "artifacts")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = pozytywka("serve", "--port", taken.getsockname()[1], *places)
    assert answer.code == 74
    for content in ("", "write short\n", "read 0123456789abcdefgh\n", "0123456789abcdefgh\n"):
        (tmp_path / "tokens").write_text(content)
        answer = pozytywka("serve", "--tokens", tmp_path / "tokens", *places)
        assert answer.code == 2
        assert "tokens" in answer.err
    assert pozytywka("serve", "--tokens", tmp_path / "none", *places).code == 74


def test_a_model_that_cannot_be_opened_is_named(start: Start, pozytywka: Any):
    """The others answer; when it is repaired it is opened again."""
    service = start()
    promoted = service.get("/v1/models").json()["rows"]
    (name,) = [row["version"] for row in promoted if row["family"] == "similar"]
    service.stop()
    damaged = service.artifacts / "similar" / "versions" / name / "factors.npy"
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-1])
    again = start()
    assert damaged.name in problem(again.get("/v1/similar/Rosetta"), 503)["detail"]
    assert "similar" in again.get("/readyz").json()["problems"]
    assert again.post("/v1/skip", SKIP).status_code == 200
    damaged.write_bytes(content)
    places = ("--data-dir", service.data, "--artifacts-dir", service.artifacts, "-q")
    assert pozytywka("models", "prepare", "similar", *places).code == 0
    for _ in range(1500):
        if again.get("/v1/similar/Rosetta").status_code == 200:
            break
        time.sleep(0.01)
    assert again.get("/v1/similar/Rosetta").status_code == 200
    assert json.loads(again.get("/readyz").text)["problems"] == {}


def test_a_database_that_does_not_answer_holds_up_experiments_alone(start: Start):
    """Events are logged and models answer meanwhile; who asks about experiments is told to come back."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing"
        service = start("--timeout", "2", database=url)
        answers: list[httpx.Response] = []
        threads = [threading.Thread(target=lambda: answers.append(service.get("/v1/experiments"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        track = some_tracks(service, 1)[0]
        for number in range(20):
            assert service.post("/v1/events", event("PLAY", number, track, user=700)).status_code == 202
            assert service.post("/v1/skip", SKIP).status_code == 200
        for thread in threads:
            thread.join()
    assert {answer.status_code for answer in answers} == {503}


def test_a_version_that_is_not_prepared_is_not_prepared_for_who_only_reads(start: Start, pozytywka: Any):
    """It takes much memory; the answer says how to do it."""
    service = start()
    places = ("--data-dir", service.data, "--artifacts-dir", service.artifacts, "-q")
    assert pozytywka("train", "skip", "--variant", "user-rate", "--no-promote", *places).code == 0
    (name,) = {*Store(service.artifacts).names("skip")} - {service.post("/v1/skip", SKIP).json()["version"]}
    document = problem(service.post("/v1/skip", SKIP, variant="user-rate"), 503)
    assert f"prepare skip {name}" in document["hint"]
    assert pozytywka("models", "prepare", "skip", "user-rate", *places).code == 0
    assert service.post("/v1/skip", SKIP, variant="user-rate").json()["version"] == name


def test_a_log_that_was_altered_is_reported_until_it_fits_again(start: Start):
    """Skip does not answer then; the rest does, and everything is well again by itself."""
    service = start()
    track = some_tracks(service, 1)[0]
    service.post("/v1/events", event("PLAY", 1, track, user=800))
    (path,) = (service.data / "sessions").glob("events-*.jsonl")
    content = path.read_bytes()
    path.write_bytes(content + b"nonsense\n")
    assert path.name in problem(service.post("/v1/skip", SKIP), 503)["detail"]
    assert service.get("/v1/similar/Rosetta").status_code == 200
    path.write_bytes(content)
    for _ in range(2500):
        if service.post("/v1/skip", SKIP).status_code == 200 and not service.get("/readyz").json()["problems"]:
            break
        time.sleep(0.01)
    assert service.post("/v1/skip", SKIP).status_code == 200
    assert service.get("/readyz").json()["problems"] == {}


def test_several_workers_stop_as_one(start: Start):
    """With the exit code of a service that has done its work."""
    service = start("--workers", "2")
    assert service.stop() == 0


@pytest.mark.parametrize("origins", [(), ("--cors", "https://radio.example")])
def test_pages_of_other_origins_are_let_in_only_where_they_are_named(start: Start, origins: tuple[str, ...]):
    """The browser is told so by a header."""
    service = start(*origins)
    allowed = service.client.get("/healthz", headers={"origin": "https://radio.example"})
    assert allowed.headers.get("access-control-allow-origin") == (origins[1] if origins else None)
    other = service.client.get("/healthz", headers={"origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers
