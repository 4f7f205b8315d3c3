"""The database of experiments, SQLite and PostgreSQL alike."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pozytywka_cli.errors import ArtifactError, BusyError, StorageError, UsageError

sa = pytest.importorskip("sqlalchemy", reason="the extra `experiments` is not installed")

from pozytywka_cli.experiments import database, lifecycle, migrations, recording  # noqa: E402
from pozytywka_cli.experiments.definition import METRICS, Arm, Experiment, parse_arm, parse_metric  # noqa: E402
from pozytywka_cli.experiments.entries import Exposure, Outcome  # noqa: E402
from pozytywka_cli.experiments.recording import (  # noqa: E402
    Logged,
    clear,
    expose,
    log_exposures,
    log_outcomes,
    record,
    replace_outcomes,
)

ARMS = [Arm("a", "1", "skip"), Arm("b", "3", "skip/advanced")]
EXPERIMENT = Experiment("one", "user", ARMS, "", [METRICS["skip_rate"]], 200)


def rows(engine, table) -> list[tuple]:
    with database.reading(engine) as connection:
        return sorted(tuple(row) for row in connection.execute(sa.select(table)))


def columns(engine) -> dict[str, list]:
    """The names, the order and the keys of all columns."""
    found = sa.inspect(engine)
    return {
        name: [
            [one["name"] for one in found.get_columns(name)],
            sorted(one["name"] for one in found.get_columns(name) if not one["nullable"]),
            found.get_pk_constraint(name)["constrained_columns"],
        ]
        for name in found.get_table_names()
    }


def test_migrations_lead_to_the_tables_that_the_code_uses(engine):
    """The same names, nullability and keys as in the declaration."""
    made = columns(engine)
    assert made.pop("schema_version")[0] == ["version"]
    declared = {
        name: [table.columns.keys(), table.primary_key.columns.keys()]
        for name, table in database.metadata.tables.items()
    }
    assert declared == {name: [names, key] for name, (names, _, key) in made.items()}
    nullable = {"version", "request"}
    assert all(set(names) - set(filled) <= nullable for names, filled, _ in made.values())


def test_an_old_database_is_migrated_and_keeps_its_rows(url, tmp_path):
    """From every earlier version."""
    for version in range(1, len(migrations.STEPS)):
        engine = sa.create_engine(database._address(url))
        with engine.begin() as connection:
            migrations.upgrade(connection, version)
            connection.exec_driver_sql("INSERT INTO exposures VALUES (7, 'u', 'a', 1, NULL, NULL)")
        engine.dispose()
        engine = database.connect(url, tmp_path)
        assert rows(engine, database.exposures) == [(7, "u", "a", 1, None, None)]
        assert rows(engine, database.crossovers) == []
        engine.dispose()


def test_a_newer_database_is_refused(engine, url, tmp_path):
    """Without a change to it."""
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO schema_version VALUES (99)")
    with pytest.raises(ArtifactError, match="99"):
        database.connect(url, tmp_path)


def test_the_default_is_a_file_among_the_artifacts(tmp_path):
    """The folder is made."""
    database.connect("", tmp_path / "new").dispose()
    assert (tmp_path / "new" / "experiments.sqlite3").is_file()


@pytest.mark.parametrize("address", ["mysql://x/y", "nothing", "postgresql://host:port/x"])
def test_an_unusable_url_is_refused(address, tmp_path):
    """The setting is named, and its password is not shown."""
    with pytest.raises(UsageError, match="database_url"):
        database.connect(address, tmp_path)


def test_errors_show_no_password(tmp_path):
    """Where a server does not answer."""
    pytest.importorskip("psycopg")
    with pytest.raises(StorageError) as caught:
        database.connect(f"postgresql://me:hidden-word@/none?host={tmp_path}", tmp_path)
    assert "hidden-word" not in caught.value.message + caught.value.hint


def test_a_damaged_file_is_an_artifact_error(tmp_path):
    """It is named."""
    (tmp_path / "experiments.sqlite3").write_bytes(b"no database" * 500)
    with pytest.raises(ArtifactError, match="sqlite3"):
        database.connect("", tmp_path)


def test_a_locked_file_is_busy(tmp_path, monkeypatch):
    """After a wait."""
    engine = database.connect("", tmp_path)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with database.writing(engine), pytest.raises(BusyError):
        database.connect("", tmp_path)
    engine.dispose()


def test_an_experiment_has_a_life(engine):
    """Created, started, stopped; its salt is its own, and what it was given is kept."""
    created = lifecycle.create(engine, EXPERIMENT)
    assert (created.experiment.status, len(created.experiment.salt)) == ("created", 16)
    start = created.experiment.created_at + 5
    started = lifecycle.start(engine, "one", start)
    assert (started.experiment.status, started.experiment.arms) == ("running", EXPERIMENT.arms)
    stopped = lifecycle.stop(engine, "one", start + 5)
    assert (stopped.experiment.status, stopped.experiment.stopped_at) == ("stopped", start + 5)
    assert lifecycle.load_all(engine) == [stopped] == [lifecycle.load(engine, "one")]


@pytest.mark.parametrize(
    "act",
    [
        lambda engine: lifecycle.create(engine, EXPERIMENT),
        lambda engine: lifecycle.load(engine, "'; DROP TABLE experiments; --"),
        lambda engine: lifecycle.stop(engine, "one", 5),
        lambda engine: expose(engine, lifecycle.load(engine, "one"), ["u"], 5),
    ],
)
def test_what_makes_no_sense_is_refused(engine, act):
    """A second one of the name, an unknown one, and one that does not run."""
    from pozytywka_cli.errors import RefusedError

    lifecycle.create(engine, EXPERIMENT)
    with pytest.raises(RefusedError):
        act(engine)


def test_the_first_exposure_stays(engine, running):
    """A second to the same arm is nothing; one to another arm is a crossover, once."""
    first, other = Exposure("u", 2000, "control", "v1", "r1"), Exposure("u", 3000, "treatment")
    assert log_exposures(engine, running.id, [first, Exposure("w", 2000, "control")]) == 2
    assert log_exposures(engine, running.id, [other, other, Exposure("w", 2500, "control")]) == 0
    expected = [(running.id, "u", "control", 2000, "v1", "r1"), (running.id, "w", "control", 2000, None, None)]
    assert rows(engine, database.exposures) == expected
    assert rows(engine, database.crossovers) == [(running.id, "u", "treatment")]


def test_an_event_is_logged_once(engine, running):
    """Whoever sends it again changes nothing, so that a client may retry."""
    outcome = Outcome("u", "listened_seconds", "e1", 2000, 30.5)
    assert log_outcomes(engine, running.id, [outcome, Outcome("u", "listened_seconds", "e2", 2000, 1.0)]) == 2
    assert log_outcomes(engine, running.id, [outcome]) == 0
    assert len(rows(engine, database.outcomes)) == 2


def test_outcomes_of_a_metric_are_replaced(engine, running):
    """Whatever their events are; those of other metrics and experiments stay."""
    log_outcomes(engine, running.id, [Outcome("u", metric, "1", 1, 1.0) for metric in ("a", "b")])
    log_outcomes(engine, running.id + 1, [Outcome("u", "a", "1", 1, 1.0)])
    replace_outcomes(engine, running.id, ["a"], [Outcome("u", "a", "2", 1, 3.0)])
    found = [(row[0] - running.id, *row[1:4]) for row in rows(engine, database.outcomes)]
    assert found == [(0, "a", "u", "2"), (0, "b", "u", "1"), (1, "a", "u", "1")]


def test_rows_of_several_experiments_are_logged_together(engine, running):
    """New rows are counted; who sees another arm of the same experiment, also later in the list, is a crossover."""
    first, again = running.id, running.id + 1
    exposures = [
        (again, Exposure("u", 3000, "old")),
        (first, Exposure("w", 2000, "control")),
        (first, Exposure("u", 2000, "treatment")),
        (first, Exposure("u", 2500, "control")),
    ]
    outcomes = [(again, Outcome("u", "m", "e", 1, 1.0)), (first, Outcome("u", "m", "e", 1, 2.0))]
    assert record(engine, exposures, outcomes) == Logged(3, 2)
    assert record(engine, [(again, Exposure("u", 4000, "new")), exposures[1]], outcomes[:1]) == Logged(0, 0)
    found = [row[:4] for row in rows(engine, database.exposures)]
    assert found == [(first, "u", "treatment", 2000), (first, "w", "control", 2000), (again, "u", "old", 3000)]
    assert rows(engine, database.crossovers) == [(first, "u", "control"), (again, "u", "new")]
    assert {(row[0], row[5]) for row in rows(engine, database.outcomes)} == {(first, 2.0), (again, 1.0)}


EXPOSED = st.tuples(st.integers(1, 2), st.sampled_from("uvw"), st.sampled_from("ab"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.lists(EXPOSED, max_size=9), max_size=4))
def test_the_first_arm_counts_however_exposures_are_batched(engine, batches):
    """In the order in which they were logged; who sees another arm of the experiment later has crossed over."""
    for table in (database.exposures, database.crossovers):
        with database.writing(engine) as connection:
            connection.execute(table.delete())
    first, crossed = dict[tuple, str](), set[tuple]()
    for batch in batches:
        known = len(first)
        for experiment, unit, arm in batch:
            if first.setdefault((experiment, unit), arm) != arm:
                crossed.add((experiment, unit, arm))
        exposures = [(experiment, Exposure(unit, 1, arm)) for experiment, unit, arm in batch]
        assert record(engine, exposures, []) == Logged(len(first) - known, 0)
    assert {row[:2]: row[2] for row in rows(engine, database.exposures)} == first
    assert set(rows(engine, database.crossovers)) == crossed


def test_rows_are_logged_all_or_not_at_all(engine, running):
    """An outcome that the database refuses takes the exposures with it."""
    with pytest.raises(StorageError):
        record(engine, [(running.id, Exposure("u", 1, "control"))], [(running.id, Outcome("u", None, "e", 1, 1.0))])
    assert rows(engine, database.exposures) == []


def test_an_experiment_is_cleared(engine, running):
    """Its exposures, crossovers and outcomes are gone, and can be logged again; those of another one stay."""
    exposures = [Exposure("u", 2000, "control"), Exposure("u", 2500, "treatment"), Exposure("w", 2000, "control")]
    for experiment in (running.id, running.id + 1):
        log_exposures(engine, experiment, exposures)
        log_outcomes(engine, experiment, [Outcome("u", "m", str(event), 1, 1.0) for event in range(3)])
    assert clear(engine, running) == Logged(2, 3)
    tables = (database.exposures, database.crossovers, database.outcomes)
    assert [len(rows(engine, table)) for table in tables] == [2, 1, 3]
    assert {row[0] for table in tables for row in rows(engine, table)} == {running.id + 1}
    assert clear(engine, running) == Logged(0, 0)
    assert lifecycle.load(engine, "test") == running


def test_many_rows_and_odd_ids(engine, running):
    """More than one batch, and ids that would end a string of SQL."""
    units = [f"'); DROP TABLE exposures; -- {number} Zażółć" for number in range(12_000)]
    arms = expose(engine, running, units, 5000, versions={"control": "v1"}, request="r")
    stored = {unit: (arm, version) for _, unit, arm, _, version, _ in rows(engine, database.exposures)}
    assert stored == {unit: (arm, "v1" if arm == "control" else None) for unit, arm in zip(units, arms, strict=True)}


@pytest.mark.parametrize("unit", ["", "\0", "a\nb", "x" * 201, "\ud800"])
def test_unusable_ids_are_refused(engine, running, unit):
    """Before anything is logged."""
    with pytest.raises(UsageError):
        expose(engine, running, ["fine", unit], 5000)
    assert rows(engine, database.exposures) == []


def test_new_weights_keep_exposed_units(engine, running):
    """Both allocations are kept, with the moments from which they hold."""
    changed = lifecycle.change_weights(engine, "test", {"treatment": "150"}, running.allocations[0].since + 10)
    shares = [
        {segment.arm: segment.width / 2**53 for segment in one.segments if segment.arm == "treatment"}
        for one in changed.allocations
    ]
    assert shares == [{"treatment": 0.5}, {"treatment": 0.75}]
    with pytest.raises(UsageError):
        lifecycle.change_weights(engine, "test", {"nobody": "1"}, 10**18)


def test_several_writers_at_the_same_time(engine, running, url, tmp_path):
    """All exposures are logged, each once."""
    units = [str(number) for number in range(400)]

    def work(number: int) -> None:
        own = database.connect(url, tmp_path)
        for start in range(0, 400, 50):
            expose(own, running, units[start : start + 50], number)
        own.dispose()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(rows(engine, database.exposures)) == 400
    assert rows(engine, database.crossovers) == []


def test_writers_of_the_same_rows_in_another_order_end(engine, running, monkeypatch):
    """They do not wait for each other, each for rows that the other one has logged: one statement a row."""
    monkeypatch.setattr(recording, "BATCH", 1)
    exposures = [(running.id, Exposure(f"{number:03}", 2000, "control")) for number in range(500)]
    outcomes = [(running.id, Outcome(f"{number:03}", "m", "e", 1, 1.0)) for number in range(500)]
    with ThreadPoolExecutor(2) as pool:
        parts = (exposures, outcomes), (exposures[::-1], outcomes[::-1])
        found = list(pool.map(lambda part: record(engine, *part), parts))
    assert tuple(map(sum, zip(*found, strict=True))) == (500, 500)


@pytest.mark.parametrize("text", ["a=0", "a=-1", "a=nan", "a=1e9", "A b", "a=1e400", "", "a=99999999"])
def test_unusable_arms_are_refused(text):
    """The weight or the name."""
    with pytest.raises(UsageError):
        parse_arm(text)


def test_arms_and_metrics_are_parsed():
    """With and without weights, models and kinds."""
    assert parse_arm("new=2.5@skip/forest") == Arm("new", "2.5", "skip/forest")
    assert parse_arm("new") == Arm("new", "1")
    assert parse_metric("skip_rate") == METRICS["skip_rate"]
    assert (parse_metric("clicks=ratio").name, parse_metric("clicks=ratio").kind) == ("clicks", "ratio")
    for text in ("clicks", "clicks=sum", "skip_rate=mean"):
        with pytest.raises(UsageError):
            parse_metric(text)
