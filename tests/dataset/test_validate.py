"""Rules that look beyond one line: every violation in one pass, and none that follows from another."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pozytywka_cli.dataset.profile import Fact
from pozytywka_cli.dataset.validate import Checked


def test_a_good_folder_has_no_violations(folder: Callable[..., Path], found: Callable[..., list[Any]]) -> None:
    """One good line in each table breaks nothing."""
    assert found(folder()) == []


def test_every_rule_in_one_pass(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """A folder that breaks every rule that is about lines lists all of them at once, in the order of the rules."""
    event = {"session_id": "8", "timestamp": '"2023-05-01T10:00:05"'}
    place = folder(
        artists=[line("artists"), line("artists", id='"a2"', genres="null"), line("artists"), "["],
        tracks=[
            line("tracks"),
            line("tracks", id='"t2"', key="12", id_artist='"a9"', name="5"),
            line("tracks", id='"t3"'),
        ],
        sessions=[
            line("sessions"),
            line("sessions", **event, event_type='"SKIP"'),
            line("sessions", **event, event_type='"LIKE"', track_id="null", user_id="9"),
            line("sessions", event_type='"SKIP"', track_id='"t3"', timestamp='"2023-05-01T10:00:09"', x="1"),
            line("sessions", event_type='"STOP"', track_id='"t9"'),
            line("sessions", timestamp='"soon"', user_id="null"),
        ],
        track_storage=[line("track_storage"), line("track_storage", track_id='"t8"')],
    )
    bad = "Expecting value at character 2: ["
    assert found(place) == [
        ("artists", "json", None, "error", 1, [("artists.jsonl:4", bad)]),
        ("artists", "key", "id", "error", 1, [("artists.jsonl:3", "a1")]),
        ("artists", "optional", "genres", "warning", 1, [("artists.jsonl:2", "null")]),
        ("artists", "duplicate_name", "name", "warning", 1, [("artists.jsonl:2", "Ada")]),
        ("tracks", "type", "name", "error", 1, [("tracks.jsonl:2", "5")]),
        ("tracks", "range", "key", "error", 1, [("tracks.jsonl:2", "12")]),
        ("tracks", "reference", "id_artist", "warning", 1, [("tracks.jsonl:2", "a9")]),
        ("tracks", "duplicate_title", "name", "warning", 1, [("tracks.jsonl:3", "One")]),
        ("tracks", "storage", "id", "warning", 2, [("tracks.jsonl:2", "t2"), ("tracks.jsonl:3", "t3")]),
        ("sessions", "required", "user_id", "error", 1, [("sessions.jsonl:6", "null")]),
        ("sessions", "event_type", "event_type", "error", 1, [("sessions.jsonl:5", "STOP")]),
        ("sessions", "time", "timestamp", "error", 1, [("sessions.jsonl:6", "soon")]),
        ("sessions", "track", "track_id", "error", 1, [("sessions.jsonl:5", "t9")]),
        ("sessions", "reference", "user_id", "warning", 1, [("sessions.jsonl:3", "9")]),
        ("sessions", "optional", "track_id", "warning", 1, [("sessions.jsonl:3", "null")]),
        (
            "sessions",
            "orphan",
            "event_type",
            "warning",
            2,
            [("sessions.jsonl:2", "SKIP"), ("sessions.jsonl:3", "LIKE")],
        ),
        ("sessions", "event_track", "track_id", "warning", 1, [("sessions.jsonl:4", "t3")]),
        ("sessions", "extra", "x", "warning", 1, [("sessions.jsonl:4", "1")]),
        ("track_storage", "reference", "track_id", "warning", 1, [("track_storage.jsonl:2", "t8")]),
    ]


def test_a_bad_line_with_a_good_key_is_no_dangling_reference(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """References are checked against keys as read: a bad line does not make others dangle."""
    place = folder(
        users=[line("users", premium_user="5")],
        artists=[line("artists", name="5")],
        tracks=[line("tracks", tempo="-3")],
        track_storage=[line("track_storage", daily_cost='"free"')],
    )
    assert [(table, rule, column) for table, rule, column, *_ in found(place)] == [
        ("users", "type", "premium_user"),
        ("artists", "type", "name"),
        ("tracks", "range", "tempo"),
        ("track_storage", "type", "daily_cost"),
    ]


def test_the_first_line_of_a_key_is_good(
    line: Callable[..., str], folder: Callable[..., Path], checked: Callable[..., Checked]
) -> None:
    """Of lines that share a key the later ones are bad, and lines without a key are no repetition of each other."""
    names = [("a1", "A"), ("a2", "B"), ("a1", "C"), ("-1", "D"), ("-1", "E"), ("a1", "F")]
    checks = checked(folder(artists=[line("artists", id=f'"{key}"', name=f'"{name}"') for key, name in names]))
    assert checks.good("artists")["name"].to_list() == ["A", "B"]
    assert checks.bad("artists").drop("file").rows() == [
        (3, ["key"]),
        (4, ["required"]),
        (5, ["required"]),
        (6, ["key"]),
    ]


def test_names_are_counted_once(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """Five artists of two names are two duplicates; a line that repeats a key is none, nor is a null name."""
    rows = [("a1", '"X"'), ("a2", '"X"'), ("a3", '"X"'), ("a4", '"Y"'), ("a5", '"Y"'), ("a5", '"Z"'), ("a6", '"Z"')]
    lines = [line("artists", id=f'"{key}"', name=name) for key, name in [*rows, ("a7", "null"), ("a8", "null")]]
    assert found(folder(artists=lines), "artists") == [
        ("artists", "key", "id", "error", 1, [("artists.jsonl:6", "a5")]),
        ("artists", "optional", "name", "warning", 2, [("artists.jsonl:8", "null"), ("artists.jsonl:9", "null")]),
        ("artists", "duplicate_name", "name", "warning", 2, [("artists.jsonl:2", "X"), ("artists.jsonl:5", "Y")]),
    ]


def test_titles_are_counted_by_artist(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """The same title by another artist is no duplicate."""
    rows = [("t1", "a1", "X"), ("t2", "a2", "X"), ("t3", "a1", "X"), ("t4", "a1", "X")]
    place = folder(
        artists=[line("artists"), line("artists", id='"a2"', name='"B"')],
        tracks=[line("tracks", id=f'"{t}"', id_artist=f'"{a}"', name=f'"{n}"') for t, a, n in rows],
        track_storage=[line("track_storage", track_id=f'"{t}"') for t, *_ in rows],
    )
    assert found(place) == [("tracks", "duplicate_title", "name", "warning", 1, [("tracks.jsonl:3", "X")])]


def test_order_is_that_of_the_file(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """An event earlier than the one before it of its own session; other sessions in between do not matter."""
    rows = [(7, 10), (8, 1), (7, 12), (8, 5), (7, 11), (7, 11), (8, 4)]
    lines = [line("sessions", session_id=f"{s}", timestamp=f'"2023-05-01T10:00:{t:02}"') for s, t in rows]
    assert found(folder(sessions=lines)) == [
        (
            "sessions",
            "order",
            "timestamp",
            "warning",
            2,
            [
                ("sessions.jsonl:5", "2023-05-01 10:00:11.000000+00:00"),
                ("sessions.jsonl:7", "2023-05-01 10:00:04.000000+00:00"),
            ],
        )
    ]


def test_reactions_follow_time_and_not_the_file(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """Orphans and current plays are found by time, PLAY last at equal times."""
    rows = [("SKIP", "t2", 20), ("PLAY", "t2", 20), ("LIKE", "t1", 15), ("PLAY", "t1", 10), ("LIKE", "t1", 10)]
    place = folder(
        tracks=[line("tracks"), line("tracks", id='"t2"', name='"Two"')],
        track_storage=[line("track_storage"), line("track_storage", track_id='"t2"')],
        sessions=[
            line("sessions", event_type=f'"{e}"', track_id=f'"{t}"', timestamp=f'"2023-05-01T10:00:{at}"')
            for e, t, at in rows
        ],
    )
    assert [v for v in found(place) if v[1] != "order"] == [
        ("sessions", "orphan", "event_type", "warning", 1, [("sessions.jsonl:5", "LIKE")]),
        ("sessions", "event_track", "track_id", "warning", 1, [("sessions.jsonl:1", "t2")]),
    ]


def test_missing_tables_and_what_cannot_be_checked(
    tmp_path: Path, folder: Callable[..., Path], checked: Callable[..., Checked]
) -> None:
    """A missing table is one violation, which lists the rules that were skipped; nothing dangles from it."""
    place = folder(users=None, artists=None, tracks=None, track_storage=None)
    rows = [
        (v.table, v.rule, v.level, v.count, v.examples[0].file, v.examples[0].line, v.examples[0].value)
        for v in checked(place).violations
    ]
    assert rows == [
        (
            "users",
            "table",
            "error",
            1,
            str(place / "users.jsonl"),
            None,
            "missing; skipped: reference of sessions.user_id",
        ),
        (
            "artists",
            "table",
            "error",
            1,
            str(place / "artists.jsonl"),
            None,
            "missing; skipped: reference of tracks.id_artist",
        ),
        (
            "tracks",
            "table",
            "error",
            1,
            str(place / "tracks.jsonl"),
            None,
            "missing; skipped: reference of track_storage.track_id, track of sessions.track_id",
        ),
        (
            "track_storage",
            "table",
            "warning",
            1,
            str(place / "track_storage.jsonl"),
            None,
            "missing; skipped: storage of tracks.id",
        ),
    ]


def test_missing_sessions(folder: Callable[..., Path], checked: Callable[..., Checked]) -> None:
    """No other rule needs the events."""
    (violation,) = checked(folder(sessions=None)).violations
    assert (violation.table, violation.rule, violation.level) == ("sessions", "table", "error")
    assert violation.examples[0].value == "missing; skipped: nothing else"


def test_an_unknown_track_is_one_violation(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """A SKIP of a track that is not in `tracks` breaks `track`, and not `event_track` too."""
    skip = line("sessions", event_type='"SKIP"', track_id='"t9"', timestamp='"2023-05-01T10:01:00"')
    assert found(folder(sessions=[line("sessions"), skip])) == [
        ("sessions", "track", "track_id", "error", 1, [("sessions.jsonl:2", "t9")])
    ]


def test_at_most_three_examples(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """All are counted and the first three shown."""
    lines = [line("artists", id=f'"a{number}"', name=f'"{number}"', genres="7") for number in range(1, 100)]
    assert found(folder(artists=lines), "artists") == [
        ("artists", "type", "genres", "error", 99, [(f"artists.jsonl:{number}", "7") for number in (1, 2, 3)])
    ]


def test_personal_values_are_never_shown(
    line: Callable[..., str], folder: Callable[..., Path], checked: Callable[..., Checked]
) -> None:
    """Whatever is wrong with a line about a person, its examples and facts hold nothing that the person would mind."""
    secret = "Sekretna"
    place = folder(
        users=[
            line("users", name=f'["{secret}"]', city=f'{{"x": "{secret}"}}', street=f'"{secret}"'),
            line("users", user_id="2", phone=f'"{secret}"'),
            f'{{"user_id": 3, "name": "{secret}"',
            f'{{"user_id": 4, "name": "{secret}", "name": "{secret}"}}',
            f'["{secret}"]',
            f'{{"user_id": 5, "name": "{secret}\\ud800"}}',
            b'{"user_id": 6, "name": "' + secret.encode() + b'\xff"}',
        ]
    )
    checks = checked(place, facts=True)
    assert [(v.rule, v.column, v.count, [e.value for e in v.examples]) for v in checks.violations][:6] == [
        (
            "json",
            None,
            4,
            ["Expecting ',' delimiter at character 34", "an array instead of an object", "half a surrogate pair"],
        ),
        ("json", "name", 1, ["the key 'name' occurs twice"]),
        ("type", "city", 1, ["(personal)"]),
        ("type", "name", 1, ["(personal)"]),
        ("extra", "phone", 1, ["(personal)"]),
    ]
    assert secret not in str(checks.violations)
    assert secret not in str(checks.profile)


def test_the_profile(line: Callable[..., str], folder: Callable[..., Path], checked: Callable[..., Checked]) -> None:
    """Rows, nulls and blanks as written, distinct values, range, mean, and each value where there are few."""
    rows = [
        ("1682935200000", "1", '"t1"', '"PLAY"', "7"),
        ('"2023-05-01T11:00:00.5"', "1", "null", '"Skip"', "7"),
        ('"2023-05-01T12:00:00"', "null", '""', '"skip"', "8"),
        ('"never"', "-1", '"-1"', "null", "9"),
        ('""', "1.5", '"t1"', '"PLAY"', "7"),
        ("null", "2", '"t2"', '"play"', "7"),
    ]
    names = ("timestamp", "user_id", "track_id", "event_type", "session_id")
    lines = [line("sessions", **dict(zip(names, row, strict=True))) for row in rows]
    checks = checked(folder(sessions=[*lines, "{"]), facts=True)
    assert [tuple(fact) for fact in checks.profile if fact.table == "sessions"] == [
        ("sessions", None, "files", 1),
        ("sessions", None, "rows", 7),
        ("sessions", None, "sessions", 2),
        ("sessions", "timestamp", "nulls", 1),
        ("sessions", "timestamp", "empty", 1),
        ("sessions", "timestamp", "distinct", 3),
        ("sessions", "timestamp", "min", "2023-05-01T10:00:00+00:00"),
        ("sessions", "timestamp", "max", "2023-05-01T12:00:00+00:00"),
        ("sessions", "timestamp", "unit", "milliseconds since 1970"),
        ("sessions", "timestamp", "count of 2023-05-01T10:00:00+00:00", 1),
        ("sessions", "timestamp", "count of 2023-05-01T11:00:00.500000+00:00", 1),
        ("sessions", "timestamp", "count of 2023-05-01T12:00:00+00:00", 1),
        ("sessions", "user_id", "nulls", 1),
        ("sessions", "user_id", "minus one", 1),
        ("sessions", "user_id", "distinct", 2),
        ("sessions", "user_id", "min", 1),
        ("sessions", "user_id", "max", 2),
        ("sessions", "track_id", "nulls", 1),
        ("sessions", "track_id", "empty", 1),
        ("sessions", "track_id", "minus one", 1),
        ("sessions", "track_id", "distinct", 2),
        ("sessions", "event_type", "nulls", 1),
        ("sessions", "event_type", "count of PLAY", 2),
        ("sessions", "event_type", "count of Skip", 1),
        ("sessions", "event_type", "count of play", 1),
        ("sessions", "event_type", "count of skip", 1),
        ("sessions", "session_id", "nulls", 0),
        ("sessions", "session_id", "distinct", 3),
        ("sessions", "session_id", "min", 7),
        ("sessions", "session_id", "max", 9),
    ]


def test_the_profile_of_storage(
    line: Callable[..., str], folder: Callable[..., Path], checked: Callable[..., Checked]
) -> None:
    """Words are counted by their spelling, numbers have a mean."""
    lines = [line("track_storage", track_id=f'"t{i}"', daily_cost=f"{i}") for i in range(3)]
    facts = checked(folder(track_storage=lines), ["track_storage"], facts=True).profile
    assert facts == [
        Fact("track_storage", None, "files", 1),
        Fact("track_storage", None, "rows", 3),
        Fact("track_storage", "track_id", "nulls", 0),
        Fact("track_storage", "track_id", "distinct", 3),
        Fact("track_storage", "storage_class", "nulls", 0),
        Fact("track_storage", "storage_class", "count of FAST", 3),
        Fact("track_storage", "daily_cost", "nulls", 0),
        Fact("track_storage", "daily_cost", "distinct", 3),
        Fact("track_storage", "daily_cost", "min", 0.0),
        Fact("track_storage", "daily_cost", "max", 2.0),
        Fact("track_storage", "daily_cost", "mean", 1.0),
        Fact("track_storage", "daily_cost", "count of 0.0", 1),
        Fact("track_storage", "daily_cost", "count of 1.0", 1),
        Fact("track_storage", "daily_cost", "count of 2.0", 1),
    ]
