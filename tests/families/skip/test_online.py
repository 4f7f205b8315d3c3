"""Answers about the present from prepared files are those of the predictor."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pozytywka_cli.artifacts import Store, Version
from pozytywka_cli.commands.outputs import with_text_times
from pozytywka_cli.dataset.loading import Dataset, load
from pozytywka_cli.errors import ArtifactError, RefusedError, UsageError
from pozytywka_cli.families.skip import FAMILY
from pozytywka_cli.families.skip.online import SkipAnswerer, SkipRequest
from pozytywka_cli.families.skip.predict import SkipPredictor
from pozytywka_cli.families.skip.state import state
from pozytywka_cli.pipeline import online
from pozytywka_cli.records import Input

from .test_observing import CATALOGUE, STEPS, as_events, events_of, log_of
from .trained import personas, trained
from .worlds import MOMENT, START, at, saved

LAST = personas().plays["started_at"].max()
UNWANTED = {"polars", "scipy", "torch", "sklearn", "implicit", "pandas"}
SERVICE = """
import sys
from pathlib import Path
from pozytywka_cli.artifacts import Store
from pozytywka_cli.dataset.events import Event
from pozytywka_cli.pipeline import online
from pozytywka_cli.records import Input
store = Store(Path(sys.argv[1]))
_, answerer = online.open_answerer(store, store.load("skip", sys.argv[2]))
answerer.observe([Event(2 * 10**15, 1, 1, "t1", "PLAY"), Event(2 * 10**15 + 5, 1, 1, "t1", "SKIP")])
(((row,), *_),) = [answerer.answer([answerer.Request(1, "t2"), answerer.Request(1, "gone")])]
assert row["reason"] == "model", row
print(*sys.modules)
"""


def prepared(variant: str, folder: Path, dataset: Dataset) -> Version:
    """A version of a variant, prepared from this dataset."""
    version = saved(trained(variant).model, folder)
    online.prepare(version, dataset)
    return version


def answerer(version: Version) -> SkipAnswerer:
    """The answerer of a prepared version."""
    opened = FAMILY.open_online(version, version.prepared, lambda: None)
    assert isinstance(opened, SkipAnswerer)
    return opened


def predicted(predictor: SkipPredictor, requests: list[SkipRequest]) -> list[dict[str, object]]:
    """The rows of the predictor, as the command line writes them."""
    fields = {"user_id": pl.Int64, "track_id": pl.String, "at": pl.Datetime("us", "UTC"), "session_id": pl.Int64}
    rows = [(one.user_id, one.track_id, one.at, one.session_id) for one in requests]
    return with_text_times(predictor.predict(pl.DataFrame(rows, fields, orient="row"))).to_dicts()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[SkipAnswerer, SkipPredictor]]:
    """Each variant's answerer, and its predictor, which reads the log."""
    pairs = {}
    for variant in FAMILY.online:
        version = prepared(variant, tmp_path_factory.mktemp(variant), personas())
        pairs[variant] = answerer(version), replace(SkipPredictor.open(version, personas()), stored=None)
    return pairs


REQUESTS = st.lists(
    st.builds(
        SkipRequest,
        st.integers(0, 31),
        st.sampled_from([*(f"t{number}" for number in range(81)), "unknown", ""]),
        st.none() | st.integers(0, 10**10).map(lambda after: at(after / 1e6 + 9 * 7200)),
        st.none() | st.integers(2, 8),
    ),
    max_size=12,
)


@pytest.mark.parametrize("variant", FAMILY.online)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=REQUESTS)
def test_answers_are_those_of_the_predictor(
    variant: str, opened: dict[str, tuple[SkipAnswerer, SkipPredictor]], requests: list[SkipRequest]
):
    """To the last bit, asked together and alone: known and unknown users and tracks, now and later, in any session."""
    ours, theirs = opened[variant]
    expected = predicted(theirs, requests)
    assert [row for rows in ours.answer(requests) for row in rows] == expected
    assert [row for one in requests for row in ours.answer([one])[0]] == expected


def test_a_moment_before_the_latest_play_is_refused(opened: dict[str, tuple[SkipAnswerer, SkipPredictor]]):
    """The user is named, and who answers; an unknown user has no past, and a time without a zone is UTC."""
    ours, theirs = opened["advanced"]
    before = SkipRequest(7, "t1", at=START)
    with pytest.raises(RefusedError) as refused:
        ours.answer([SkipRequest(1, "t1"), before])
    assert "user 7" in refused.value.message
    assert "predict skip" in refused.value.hint
    unknown = [SkipRequest(99, "t1", at=START)]
    assert ours.answer(unknown) == [predicted(theirs, unknown)]
    naive, aware = (SkipRequest(7, "t1", at=datetime(2030, 1, 1, tzinfo=zone)) for zone in (None, UTC))
    assert ours.answer([naive]) == ours.answer([aware])


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_that_has_no_year_in_utc_is_refused(
    moment: str, opened: dict[str, tuple[SkipAnswerer, SkipPredictor]]
):
    """Of a known user, or of an unknown one; the user and the moment are named."""
    ours, theirs = opened["advanced"]
    for user in (7, 99):
        with pytest.raises(UsageError, match=f"user {user}: {re.escape(moment)}"):
            ours.answer([SkipRequest(1, "t1"), SkipRequest(user, "t1", at=datetime.fromisoformat(moment))])
    last = [SkipRequest(7, "t1", at=datetime.max)]
    assert ours.answer(last) == [predicted(theirs, last)]


def test_a_play_may_end_in_another_year_than_python_knows(tmp_path: Path):
    """Its user's next one starts then."""
    later = pl.lit(datetime.max).cast(MOMENT) - LAST
    dataset = replace(personas(), plays=personas().plays.with_columns(pl.col(MOMENT) + later))
    version = prepared("advanced", tmp_path, dataset)
    theirs = replace(SkipPredictor.open(version, dataset), stored=None)
    asked = [SkipRequest(user, "t1") for user in (99, *range(30))]
    assert [row for rows in answerer(version).answer(asked) for row in rows] == predicted(theirs, asked)
    assert any(str(row["at"]).startswith("+10000") for row in predicted(theirs, asked))


def test_without_any_play_a_request_needs_its_moment(tmp_path: Path):
    """There is no last play that it could follow."""
    ours = answerer(prepared("advanced", tmp_path, replace(personas(), plays=personas().plays.clear())))
    with pytest.raises(RefusedError, match="no plays"):
        ours.answer([SkipRequest(1, "t1")])
    assert ours.answer([SkipRequest(1, "t1", at=START)])[0][0]["reason"] == "model"
    assert ours.answer([]) == []


def test_an_older_session_than_those_that_are_kept_is_answered_as_a_new_one(
    opened: dict[str, tuple[SkipAnswerer, SkipPredictor]],
):
    """And so is one that nobody has heard of, which is what it nearly always is."""
    ours, theirs = opened["advanced"]
    new, old, unheard = (SkipRequest(1, "t1", session_id=session) for session in (None, 0, 77))
    assert ours.answer([old]) == ours.answer([new]) == ours.answer([unheard])
    assert [predicted(theirs, [one]) for one in (new, unheard)] == ours.answer([new, unheard])


@pytest.mark.parametrize("variant", ["advanced", "user-rate"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=1, max_size=40), prefix=st.integers(0, 40), size=st.integers(1, 20))
def test_observed_events_change_answers_as_the_log_of_them_does(
    variant: str,
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[float, int, int, str, str, str | None]],
    prefix: int,
    size: int,
):
    """Prepared from the first events, and following the others in batches of any size: ties and late reactions."""
    events = events_of(steps)
    first, later = log_of(events[:prefix]).dataset, events[prefix:]
    version = prepared(variant, tmp_path_factory.mktemp("observed"), first)
    ours = answerer(version)
    ours.observe(as_events(events[:prefix].filter(pl.col("event_type") == "ADVERTISEMENT")))  # which are in no log
    for start in range(0, len(later), size):
        ours.observe(as_events(later[start : start + size]))
    theirs = SkipPredictor.open(version, log_of(events).dataset)
    after = [events["timestamp"].max()] * (len(events) > 0)
    requests = [
        SkipRequest(user, track, moment, session)
        for user in (0, 1, 99)
        for track in (*CATALOGUE["id"].head(3), "gone")
        for session in (None, 0, 1, 2)
        for moment in (*([None] if "PLAY" in events["event_type"] else []), *after)
    ]
    assert [row for rows in ours.answer(requests) for row in rows] == predicted(theirs, requests)


def test_the_service_imports_neither_polars_nor_a_model_library(tmp_path: Path):
    """From the prepared files to answers and observed events, in a process of its own."""
    version = prepared("advanced", tmp_path, personas())
    words = [sys.executable, "-c", SERVICE, str(tmp_path), version.name]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not {name.partition(".")[0] for name in done.stdout.split()} & UNWANTED


def test_a_predictor_reads_what_was_prepared_from_the_same_data(tmp_path: Path):
    """Not what was prepared from other data, or is damaged: it computes the same itself."""
    dataset = replace(personas(), inputs=[Input("sessions.jsonl", "0" * 64, 1, 1)])
    version = prepared("advanced", tmp_path, dataset)
    predictor = SkipPredictor.open(version, dataset)
    assert predictor.stored is not None
    requests = predictor.default_requests().head(5)
    answers = predictor.predict(requests)
    assert "history" not in vars(predictor.log)
    assert answers.equals(replace(predictor, stored=None).predict(requests))
    others = [replace(dataset, inputs=[Input("sessions.jsonl", "1" * 64, 1, 1)]), personas(), dataset.until(LAST)]
    assert [SkipPredictor.open(version, other).stored for other in others] == [None] * 3
    (version.prepared / "users.npy").write_bytes(b"")
    assert SkipPredictor.open(version, dataset).stored is None
    with pytest.raises(ArtifactError, match=re.escape("users.npy")):
        online.open_answerer(Store(tmp_path), version)


@pytest.mark.real
@pytest.mark.parametrize("edition", ["pozytywka-2023", "pozytywka-2024"])
def test_answers_about_the_real_log_are_those_of_the_predictor(edition: str, real: Path, tmp_path: Path):
    """Thousands of pairs of both editions, in new sessions and in those that went on last."""
    dataset = load(real / edition, tmp_path / "plays.parquet", lambda _: None)
    version = prepared("advanced", tmp_path / "artifacts", dataset)
    ours, theirs = answerer(version), replace(SkipPredictor.open(version, dataset), stored=None, asked=-10_000)
    latest = dataset.plays.sort("started_at").group_by("user_id").agg(pl.col("session_id").last())
    pairs = theirs.default_requests().sample(2_000, seed=0).join(latest, on="user_id", maintain_order="left")
    requests = [
        SkipRequest(user, track, session_id=session if number % 2 else None)
        for number, (user, track, session) in enumerate(pairs.iter_rows())
    ]
    expected = predicted(theirs, requests)
    assert [row for rows in ours.answer(requests) for row in rows] == expected
    assert [row for one in requests[:300] for row in ours.answer([one])[0]] == expected[:300]


def test_what_is_known_of_many_users_is_not_kept_for_ever(opened: dict[str, tuple[SkipAnswerer, SkipPredictor]]):
    """Whether it is kept or not changes no answer."""
    ours, _ = opened["advanced"]
    requests = [SkipRequest(user, "t1") for user in range(30)]
    with pytest.MonkeyPatch.context() as patch:
        expected = ours.answer(requests)
        patch.setattr(state, "MOST_SUMMARIES", 5)
        ours.state._summaries.clear()
        assert [ours.answer([one])[0] for one in requests] == expected
        assert ours.answer(requests) == expected
        assert len(ours.state._summaries) == 5
