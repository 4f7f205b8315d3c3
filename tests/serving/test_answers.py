import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Start
from .running import ADMINISTERING, WRITING, Service

SKIP = {"user_id": 101, "track_id": "dczz2w6ZePgcwax9Obp7Je"}


def problem(response: Any, status: int) -> dict[str, Any]:
    """Return the problem document of a response that must have this status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["request_id"] == response.headers["x-request-id"]
    return document


def test_every_example_of_the_description_is_answered(service: Service):
    """All routes of /openapi.json, with the examples of their bodies, paths and queries."""
    paths = service.get("/openapi.json").json()["paths"]
    assert len(paths) >= 14
    for path, operations in paths.items():
        for method, operation in operations.items():
            if "{name}" in path and "experiments" in path:
                continue  # they need an experiment: see test_experiments
            for one in operation.get("parameters", []):
                if one["in"] == "path":
                    example = one.get("example", (one["schema"].get("examples") or one.get("examples") or [None])[0])
                    path = path.replace(f"{{{one['name']}}}", str(example))
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
            response = service.client.request(method, path, json=body, headers=WRITING)
            assert response.status_code in (200, 202), (method, path, response.text)


def test_answers_are_those_of_the_command_line(start: Start, pozytywka: Any, tmp_path: Any):
    """To the last bit, for single requests and for lists."""
    service = start()
    places = ("--data-dir", service.data, "--artifacts-dir", service.artifacts, "-q")
    requests = {
        "skip": [{"user_id": user, "track_id": SKIP["track_id"]} for user in (101, 102, 103, -5)]
        + [{"user_id": 101, "track_id": "unknown"}],
        "recommend": [{"user_id": user, "count": 7} for user in (101, 115, 999_999)],
    }
    for family, bodies in requests.items():
        path = tmp_path / f"{family}.jsonl"
        path.write_text("".join(json.dumps(body) + "\n" for body in bodies))
        printed = pozytywka("predict", family, path, *places).out
        expected = [json.loads(line) for line in printed.splitlines()]
        together = service.post(f"/v1/{family}", bodies).json()["rows"]
        alone = [row for body in bodies for row in service.post(f"/v1/{family}", body).json()["rows"]]
        assert together == alone == expected
    names = ("metalica", "Rosetta", "qqqqqqqqqqqq")
    similar = json.loads(pozytywka("similar", *names, "-n", 9, "--json", *places).out)["rows"]
    rows = service.post("/v1/similar", [{"artist": name, "count": 9} for name in names]).json()["rows"]
    assert [{name: row[name] for name in similar[0]} for row in rows if not row["problem"]] == similar
    forecast = json.loads(pozytywka("predict", "weekly", "--artist", "Rosetta", "--json", *places).out)["rows"]
    rows = service.get("/v1/weekly/rosetta").json()["rows"]
    assert [{"family": "weekly", **row} for row in rows] == forecast


def test_a_path_asks_like_a_body(service: Service):
    """GET routes have the same answers, with the parameters of the query."""
    asked = service.get("/v1/similar/Rosetta", count=3).json()
    assert asked == service.post("/v1/similar", {"artist": "Rosetta", "count": 3}).json()
    wish = {"count": 4, "diversity": 0.5, "tail": 1, "allow_heard": True}
    asked = service.get("/v1/recommend/101", **wish).json()
    assert asked == service.post("/v1/recommend", {"user_id": 101, **wish}).json()
    artist = service.get("/v1/weekly/Rosetta").json()["rows"][0]["artist_id"]
    assert service.get(f"/v1/weekly/{artist}", by_id=True).json() == service.get("/v1/weekly/Rosetta").json()


def test_another_variant_or_version_can_be_named(service: Service):
    """By its name, or the beginning of a version's."""
    promoted = service.get("/v1/similar/Rosetta").json()["version"]
    assert service.get("/v1/similar/Rosetta", version=promoted[:20]).json()["version"] == promoted
    assert service.post("/v1/skip", SKIP, version="2001").status_code == 404
    problem(service.post("/v1/skip", SKIP, variant="nothing"), 422)
    problem(service.post("/v1/skip", SKIP, variant="constant", version="2"), 422)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 422),
        (b"1", 422),
        (b"{}", 422),
        (b'{"user_id": "101", "track_id": "a"}', 422),
        (b'{"user_id": 9223372036854775808, "track_id": "a"}', 422),
        (b'{"user_id": -1e400, "track_id": "a"}', 422),
        (b'{"user_id": 101, "track_id": "a", "colour": "red"}', 422),
        (b'{"user_id": 101, "track_id": "a", "at": "yesterday"}', 422),
        (b'{"user_id": 101, "track_id": "a", "at": "2000-01-01T00:00:00Z"}', 409),
        (b'{"user_id": 9223372036854775807, "track_id": "a"}', 200),
        (b'{"user_id": -9223372036854775808, "track_id": "a"}', 200),
        (b'{"user_id": 101, "track_id": "\\u0000../../etc/passwd"}', 200),
        (b'{"user_id": 101, "track_id": "\\ud800"}', 400),
        (b'{"user_id": 101, "track_id": "a", "at": "9999-12-31T23:59:59.999999Z"}', 200),
        (b"[]", 200),
        (b"[" + b",".join([b'{"user_id": 1, "track_id": "a"}'] * 1001) + b"]", 413),
        (b'"' + b"x" * 10_000_000 + b'"', 413),
    ],
)
def test_bodies_that_cannot_be_used_are_refused(service: Service, body: bytes, status: int):
    """With a problem document; what is possible but unknown is answered."""
    response = service.client.post("/v1/skip", content=body, headers={"content-type": "application/json"})
    if status == 200:
        assert response.status_code == 200, response.text
        assert all(row["reason"].startswith("unknown") for row in response.json()["rows"])
    else:
        problem(response, status)


def test_a_body_that_is_not_said_to_be_json_is_refused(service: Service):
    """A form of a web page cannot send one."""
    problem(service.client.post("/v1/skip", content=b"{}"), 415)
    problem(service.client.post("/v1/skip", data={"user_id": "101"}), 415)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/similar/qqqqqqqqqqqqqqqq", 404),
        ("/v1/similar/..%2F..%2F..%2Fetc%2Fpasswd", 404),
        ("/v1/similar/%00", 404),
        ("/v1/similar/Rosetta'; DROP TABLE experiments; --", 404),
        ("/v1/similar/Rosetta?count=0", 422),
        ("/v1/similar/Rosetta?count=9223372036854775808", 422),
        ("/v1/similar/Rosetta?colour=red", 422),
        ("/v1/similar/Rosetta?version=../../..", 404),
        ("/v1/recommend/999999999", 404),
        ("/v1/recommend/9223372036854775808", 422),
        ("/v1/recommend/abc", 422),
        ("/v1/recommend/101?like_artist=qqqqqqqqqqqqqqqq", 404),
        ("/v1/recommend/101?diversity=nan", 422),
        ("/v1/weekly/qqqqqqqqqqqqqqqq", 404),
        ("/v1/weekly/Rosetta?horizon=100000", 422),
        ("/v1/experiments/nothing/results", 404),
        ("/v1/experiments/..%2F..%2Fetc/results", 404),
        ("/v1/experiments/x' OR '1'='1/results", 404),
        ("/v1/nothing", 404),
        ("/v1/skip", 405),
    ],
)
def test_paths_that_name_nothing_are_refused(service: Service, path: str, status: int):
    """Names are never paths, patterns or SQL."""
    assert problem(service.get(path) if "?" not in path else service.client.get(path), status)["detail"]


def test_routes_that_write_need_a_token(service: Service):
    """One that allows it; reading does not."""
    for headers in ({}, {"Authorization": "Bearer wrong-0123456789abc"}, {"Authorization": "Basic abc"}):
        response = service.client.post("/v1/events", json={}, headers=headers)
        problem(response, 401)
        assert response.headers["www-authenticate"] == "Bearer"
    problem(service.client.delete("/v1/experiments/x/results", headers=WRITING), 403)
    problem(service.client.delete("/v1/experiments/x/results", headers=ADMINISTERING), 404)


def test_a_request_keeps_the_id_that_the_client_gave(service: Service):
    """Unless it could not stand in a log line."""
    given = service.client.get("/healthz", headers={"x-request-id": "order-4711"})
    assert given.headers["x-request-id"] == "order-4711"
    made = service.client.get("/healthz", headers={"x-request-id": 'a" b'})
    assert made.headers["x-request-id"] not in ("", 'a" b')


def test_the_log_and_the_figures_know_every_request(service: Service):
    """A line of JSON with the id, and a counter by route and status."""
    response = service.client.get("/v1/similar/Rosetta", headers={"x-request-id": "find-me-again"})
    lines: list[str] = []
    while not lines:  # it is written after the response
        lines = [line for line in service.messages.read_text().splitlines() if "find-me-again" in line]
    logged = json.loads(lines[0])
    assert (logged["path"], logged["status"]) == ("/v1/similar/Rosetta", response.status_code)
    figures = service.get("/metrics")
    assert figures.headers["content-type"].startswith("application/openmetrics-text")
    assert 'route="/v1/similar/{name}"' in figures.text
    assert figures.text.endswith("# EOF\n")


def test_the_process_has_loaded_no_library_that_trains(start: Start):
    """Torch, scikit-learn, implicit and polars stay out of the memory of the service."""
    service = start()
    service.post("/v1/skip", SKIP)
    service.get("/v1/recommend/101")
    maps = Path(f"/proc/{service.process.pid}/maps").read_text()
    assert "numpy" in maps
    for name in ("torch", "sklearn", "implicit", "polars", "pandas"):
        assert f"/{name}" not in maps, name


def test_lists_that_are_too_long_together_are_refused(service: Service):
    """A body of a few bytes must not take minutes and gigabytes; one long list is answered."""
    long = {"user_id": 101, "count": 1000}
    problem(service.post("/v1/recommend", [long] * 21), 413)
    problem(service.post("/v1/similar", [{"artist": "Rosetta", "count": 1000}] * 21), 413)
    assert service.post("/v1/recommend", long).json()["rows"]
