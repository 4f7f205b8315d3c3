import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests import postgresql

from .conftest import Start
from .running import ADMINISTERING, WRITING, Service
from .test_answers import SKIP, problem

USERS = [*range(101, 131)]
BODIES = [SKIP | {"user_id": user} for user in USERS]
NAME = "mixture"
SOON = (time.time_ns() // 1000) + 3_600_000_000  # after the exposures


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty database, empty for the file in the artifacts folder."""
    if request.param == "sqlite":
        yield ""
        return
    if (programs := postgresql.programs()) is None:
        pytest.skip(postgresql.MISSING)
    with postgresql.server(programs) as url:
        monkeypatch.setenv("POZYTYWKA_DATABASE_URL", url)
        yield url


@pytest.fixture
def service(start: Start, pozytywka: Any, database: str, tmp_path: Any) -> Service:
    """A service with a running experiment between two variants of skip."""
    places = ("--data-dir", tmp_path / "data", "--artifacts-dir", tmp_path / "artifacts", "-q")
    assert pozytywka("train", "skip", "--variant", "user-rate", "--no-promote", *places).code == 0
    arms = ("--arm", "old=1@skip/user-rate", "--arm", "new=1@skip")
    metrics = ("--metric", "recommendation_success", "--metric", "sessions=mean", "--metric", "skip_rate")
    assert pozytywka("experiment", "create", NAME, *arms, *metrics, "--salt", "s", *places).code == 0
    assert pozytywka("experiment", "start", NAME, *places).code == 0
    return start(database=database)


def rows(service: Service) -> list[dict[str, Any]]:
    """Expose all users, and return their answers."""
    response = service.post(f"/v1/experiments/{NAME}/predict", BODIES)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["rows"]
    return found


def outcome(user: int, event: str = "list 1", **changed: Any) -> dict[str, Any]:
    """Make an outcome."""
    fields = {"unit": str(user), "metric": "sessions", "event": event, "at": SOON, "value": 2.0}
    return fields | changed


def test_every_example_of_the_description_is_answered(service: Service):
    """All routes of /openapi.json that are about an experiment, in their order there."""
    paths = service.get("/openapi.json").json()["paths"]
    asked = [(path, method, one) for path in paths if "experiments" in path for method, one in paths[path].items()]
    assert len(asked) == 5
    for path, method, operation in asked:
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        confirmed = {"confirm": NAME} if method == "delete" else {}
        response = service.client.request(
            method, path.format(name=NAME), json=body, params=confirmed, headers=ADMINISTERING
        )
        assert response.status_code in (200, 202), (method, path, response.text)


def test_units_are_answered_by_the_model_of_their_arm(service: Service, pozytywka: Any):
    """The same arms as on the command line, and the same answers as of the versions themselves."""
    answers = rows(service)
    assert [row["user_id"] for row in answers] == USERS
    places = ("--artifacts-dir", service.artifacts, "-q")
    assigned = json.loads(pozytywka("experiment", "assign", NAME, *USERS, "--json", *places).out)["rows"]
    assert [row["arm"] for row in answers] == [row["arm"] for row in assigned]
    assert {row["arm"] for row in answers} == {"old", "new"}
    for body, row in zip(BODIES, answers, strict=True):
        alone = service.post("/v1/skip", body, version=row["version"]).json()["rows"][0]
        assert {name: row[name] for name in alone} == alone


def test_exposures_and_outcomes_are_analysed_as_on_the_command_line(service: Service, pozytywka: Any):
    """Each exposure and each outcome counts once, however often it is sent."""
    answers = rows(service)
    sent = [outcome(user, f"list {number}", value=user % 7 + number) for user in USERS for number in range(3)]
    for _ in range(2):
        rows(service)
        assert service.post(f"/v1/experiments/{NAME}/outcomes", sent).json()["logged"] == len(sent)
    results = service.get(f"/v1/experiments/{NAME}/results").json()
    for arm in results["arms"]:
        assert arm["units"] == sum(row["arm"] == arm["arm"] for row in answers)
    places = ("--artifacts-dir", service.artifacts, "-q")
    printed = json.loads(pozytywka("experiment", "analyze", NAME, "--json", *places).out)
    assert [printed[name] for name in ("rows", "arms")] == [results[name] for name in ("rows", "arms")]
    effect = next(one for one in results["rows"] if one["metric"] == "sessions")
    units = {arm: [row["user_id"] for row in answers if row["arm"] == arm] for arm in ("old", "new")}
    means = {arm: sum(3 * (user % 7) + 3 for user in users) / len(users) for arm, users in units.items()}
    assert effect["difference"] == pytest.approx(means["new"] - means["old"])


def test_results_are_removed_only_by_an_administrator_who_confirms(service: Service):
    """The experiment itself goes on."""
    rows(service)
    path = f"/v1/experiments/{NAME}/results"
    problem(service.client.delete(path, headers=WRITING, params={"confirm": NAME}), 403)
    problem(service.client.delete(path, headers=ADMINISTERING), 422)
    problem(service.client.delete(path, headers=ADMINISTERING, params={"confirm": "other"}), 422)
    removed = service.client.delete(path, headers=ADMINISTERING, params={"confirm": NAME}).json()["removed"]
    assert removed == {"exposures": len(USERS), "outcomes": 0}
    assert sum(arm["units"] for arm in service.get(path).json()["arms"]) == 0
    assert [one["name"] for one in service.get("/v1/experiments").json()["rows"]] == [NAME]


@pytest.mark.parametrize(
    "changed",
    [
        {"unit": ""},
        {"unit": "a\u0000b"},
        {"metric": "nothing"},
        {"metric": "skip_rate"},
        {"event": "x" * 300},
        {"at": 5},
        {"at": 2**62},
        {"weight": -1.0},
        {"value": "many"},
        {"price": 3},
    ],
)
def test_outcomes_that_cannot_be_used_are_refused(service: Service, changed: dict[str, Any]):
    """None of a list is logged."""
    response = service.post(f"/v1/experiments/{NAME}/outcomes", [outcome(101), outcome(102, **changed)])
    problem(response, 422)
    removed = service.client.delete(f"/v1/experiments/{NAME}/results", headers=ADMINISTERING, params={"confirm": NAME})
    assert removed.json()["removed"]["outcomes"] == 0


def test_an_experiment_that_does_not_run_exposes_nobody(service: Service, pozytywka: Any):
    """Neither before the start nor after the end; and one without models has no answers."""
    places = ("--artifacts-dir", service.artifacts, "-q")
    pozytywka("experiment", "create", "later", "--arm", "a=1@skip", "--arm", "b=1@skip/user-rate", *places)
    problem(service.post("/v1/experiments/later/predict", BODIES), 409)
    pozytywka("experiment", "create", "bare", "--arm", "a", "--arm", "b", *places)
    pozytywka("experiment", "start", "bare", *places)
    problem(service.post("/v1/experiments/bare/predict", BODIES), 409)
    pozytywka("experiment", "stop", NAME, *places)
    for _ in range(300):  # a definition is used for a second
        response = service.post(f"/v1/experiments/{NAME}/predict", BODIES)
        if response.status_code != 200:
            break
        time.sleep(0.01)
    problem(response, 409)
    problem(service.post("/v1/experiments/nothing/predict", BODIES), 404)
