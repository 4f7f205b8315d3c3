"""The output of commands: data on stdout, everything else on stderr, one JSON object with --json."""

import io
import json
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest


def rows(answer, command: str) -> list[dict]:
    """The rows of a JSON answer, after a look at its envelope."""
    found = json.loads(answer.out)
    assert (answer.code, found["format"], found["command"]) == (0, 1, command)
    return found["rows"]


def test_quiet_success_is_silent(pozytywka, sampled, tmp_path):
    """-q and success: nothing on stdout or stderr."""
    answer = pozytywka("-q", "transform", sampled, "--artifacts-dir", tmp_path)
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_global_options_may_follow_the_command(pozytywka, sampled, tmp_path):
    """Before or after it, with = or without."""
    before = pozytywka("--artifacts-dir", tmp_path, "-q", "transform", sampled)
    after = pozytywka("transform", sampled, "-q", f"--artifacts-dir={tmp_path}")
    assert before == after


def test_validate_accepts_clean_data(pozytywka, sampled):
    """Nothing on stdout, one line on stderr."""
    answer = pozytywka("validate", sampled)
    assert (answer.code, answer.out) == (0, "")
    assert len(answer.err.splitlines()) == 1


def test_every_generated_fault_is_found_as_often_as_it_was_generated(pozytywka, tmp_path):
    """The sample's truth/faults.json and `validate --json` agree exactly, and the bad lines are set apart."""
    assert pozytywka("-q", "sample", tmp_path / "data", "--users", "20", "--weeks", "6", "--dirty").code == 0
    generated: dict[tuple, int] = {}
    for fault in json.loads((tmp_path / "data" / "truth" / "faults.json").read_text()):
        key = (fault["table"], fault["rule"], fault["column"], fault["level"])
        generated[key] = generated.get(key, 0) + fault["count"]
    answer = pozytywka("validate", tmp_path / "data", "--json", "--fail-on", "never")
    found = {(r["table"], r["rule"], r["column"], r["level"]): r["count"] for r in rows(answer, "validate")}
    assert found == generated


def test_a_table_without_one_file_fails_and_says_what_is_skipped(pozytywka, sampled, tmp_path):
    """A missing table is an error, or for track_storage a warning; rules that need it are listed."""
    folder = shutil.copytree(sampled, tmp_path / "data")
    (folder / "tracks.jsonl").unlink()
    (folder / "track_storage.jsonl").unlink()
    answer = pozytywka("validate", folder, "--json")
    assert answer.code == 3
    assert answer.err.startswith("error: tracks is missing\n")
    found = {r["table"]: (r["level"], r["examples"][0]["value"]) for r in json.loads(answer.out)["rows"]}
    skipped = "missing; skipped: reference of track_storage.track_id, track of sessions.track_id"
    assert found == {
        "tracks": ("error", skipped),
        "track_storage": ("warning", "missing; skipped: storage of tracks.id"),
    }


@pytest.fixture
def slightly_bad(sampled, tmp_path) -> Path:
    """A copy of the sample with one broken line and one name that is markup."""
    folder = shutil.copytree(sampled, tmp_path / "slightly_bad")
    with (folder / "artists.jsonl").open("a") as stream:
        stream.write('{"id": "x1", "name": "<b>[red]", "genres": null}\n{"id": "x2", "na\n')
    return folder


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 3),
        (["--max-bad", "1"], 0),
        (["--max-bad", "0.1%"], 3),
        (["--max-bad", "50%"], 0),
        (["--fail-on", "never"], 0),
        (["--max-bad", "1", "--fail-on", "warning"], 3),
    ],
)
def test_how_much_may_be_bad(pozytywka, slightly_bad, options, code):
    """--max-bad counts lines of a table, or a share of them; --fail-on sets the level."""
    answer = pozytywka("validate", slightly_bad, *options)
    assert answer.code == code


def test_reports_are_pages_that_escape_and_results_that_parse(pozytywka, slightly_bad, tmp_path):
    """Text from the data does not act in the page; CI reads the failures."""
    page, junit = tmp_path / "report.html", tmp_path / "report.xml"
    answer = pozytywka("validate", slightly_bad, "--report", f"html={page}", "--report", f"junit={junit}")
    assert answer.code == 3
    assert "<b>[red]" not in page.read_text()
    suite = ElementTree.parse(junit).find("testsuite[@name='artists']")
    assert suite is not None
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["json"]


def test_quarantine_sets_bad_lines_apart_and_good_ones_read_again(pozytywka, slightly_bad, tmp_path):
    """The bad line as it was, its reason beside it, and a folder of good data that validates."""
    pozytywka("validate", slightly_bad, "--quarantine", tmp_path / "q")
    assert (tmp_path / "q" / "bad" / "artists.jsonl").read_bytes() == b'{"id": "x2", "na\n'
    reason = json.loads((tmp_path / "q" / "bad" / "artists.reasons.jsonl").read_text())
    assert reason["rules"] == ["json"]
    assert pozytywka("validate", tmp_path / "q" / "good").code == 0


def test_transform_writes_plays_and_says_how_many(pozytywka, sampled, tmp_path):
    """One row for each PLAY; --json names the file."""
    answer = pozytywka("transform", sampled, "-o", tmp_path / "p.parquet", "--artifacts-dir", tmp_path, "--json")
    [made] = rows(answer, "transform")
    events = pl.read_ndjson(sampled / "sessions.jsonl")
    assert made["rows"] == (events["event_type"] == "PLAY").sum() == len(pl.read_parquet(tmp_path / "p.parquet"))


def test_transform_keeps_what_it_drops(pozytywka, slightly_bad, tmp_path):
    """--on-invalid quarantine goes on without the bad lines and says where they are."""
    with (slightly_bad / "sessions.jsonl").open("a") as stream:
        stream.write("nonsense\n")
    refused = pozytywka("transform", slightly_bad, "--artifacts-dir", tmp_path)
    assert refused.code == 3
    assert refused.err.startswith("error: 1 bad line, first ")
    kept = pozytywka("transform", slightly_bad, "--artifacts-dir", tmp_path, "--on-invalid", "quarantine")
    assert kept.code == 0
    [warning] = [line for line in kept.err.splitlines() if line.startswith("warning: ")]
    assert [word for word in ("1 bad line", "sessions", str(tmp_path / "quarantine")) if word not in warning] == []
    assert (tmp_path / "quarantine" / "bad" / "sessions.jsonl").read_bytes() == b"nonsense\n"


def test_train_makes_plays_says_so_and_does_nothing_twice(pozytywka, sampled, tmp_path, quick):
    """A second run is a no-op that says so; --force trains again; a run leaves a record."""
    command = ["train", "weekly", "--variant", "mean", "--data-dir", sampled, "--artifacts-dir", tmp_path]
    first = pozytywka(*command, "--json")
    [made] = rows(first, "train")
    assert str(tmp_path / "plays.parquet") in first.err
    assert made["promoted"] == made["version"]
    [again] = rows(pozytywka(*command, "--json"), "train")
    assert (again["unchanged"], again["version"]) == (True, made["version"])
    [forced] = rows(pozytywka(*command, "--force", "--json"), "train")
    assert not forced["unchanged"]
    records = [json.loads(path.read_text()) for path in sorted((tmp_path / "runs").iterdir())]
    assert [len(record["outcomes"]) for record in records] == [1, 1, 1]


def test_a_saved_version_that_was_not_promoted_is_promoted_by_the_next_run(pozytywka, sampled, tmp_path, quick):
    """Nothing is trained twice; a version that was rolled back by hand is not promoted again."""
    folders = ["--data-dir", sampled, "--artifacts-dir", tmp_path]
    command = ["train", "weekly", "--variant", "mean", *folders, "--json"]
    [saved] = rows(pozytywka(*command, "--no-promote"), "train")
    [again] = rows(pozytywka(*command), "train")
    assert (again["unchanged"], again["promoted"]) == (True, saved["version"])
    [third] = rows(pozytywka(*command), "train")
    assert (third["unchanged"], third["promoted"]) == (True, None)
    [other] = rows(pozytywka(*command, "--seed", "1"), "train")
    assert pozytywka("models", "rollback", "weekly", *folders).code == 0
    [back] = rows(pozytywka(*command, "--seed", "1"), "train")
    assert (back["unchanged"], back["version"], back["promoted"]) == (True, other["version"], None)


@pytest.mark.parametrize("loss", ["gone", "dangling", "damaged"])
def test_a_run_repairs_the_promotion(pozytywka, sampled, tmp_path, quick, loss):
    """`current` is gone, points to nothing, or to a damaged version: the same training promotes a version again."""
    folders = ["--data-dir", sampled, "--artifacts-dir", tmp_path]
    command = ["train", "weekly", "--variant", "mean", *folders, "--json"]
    rows(pozytywka(*command), "train")
    current = tmp_path / "weekly" / "current"
    if loss == "damaged":
        (current / "model.json").write_text("{}")
    else:
        current.unlink()
    if loss == "dangling":
        current.symlink_to("versions/nothing")
    assert pozytywka("models", "verify", *folders).code == 4
    [repaired] = rows(pozytywka(*command), "train")
    assert repaired["promoted"] is not None
    assert pozytywka("predict", "weekly", *folders).code == 0


def test_figures_are_printed_even_if_another_family_is_refused(pozytywka, tmp_path, quick):
    """Two users are too few for similar; skip and weekly have been measured."""
    assert pozytywka("-q", "sample", tmp_path / "data", "--users", "2", "--weeks", "30").code == 0
    answer = pozytywka("evaluate", "--data-dir", tmp_path / "data", "--artifacts-dir", tmp_path / "a", "--json")
    assert answer.code == 3
    assert "error: similar: " in answer.err
    assert {row["family"] for row in json.loads(answer.out)["rows"]} == {"skip", "weekly"}


def test_prune_touches_only_families_and_needs_a_promoted_version(pozytywka, trained, tmp_path):
    """The folder `versions` of another program stays, and so does everything if nothing is promoted."""
    store = shutil.copytree(trained, tmp_path / "artifacts", symlinks=True)
    (store / "foreign" / "versions" / "mine").mkdir(parents=True)
    assert pozytywka("models", "prune", "--keep", "0", "--artifacts-dir", store).code == 0
    assert (store / "foreign" / "versions" / "mine").is_dir()
    (store / "skip" / "current").unlink()
    assert pozytywka("models", "prune", "skip", "--keep", "0", "--artifacts-dir", store).code == 4


def test_a_fallback_is_not_trained_twice(pozytywka, tmp_path, quick):
    """Six weeks get the mean in place of the LSTM, once, and every forecast says so."""
    assert pozytywka("-q", "sample", tmp_path / "data", "--users", "30", "--weeks", "6").code == 0
    command = ["train", "weekly", "--data-dir", tmp_path / "data", "--artifacts-dir", tmp_path / "a", "--json"]
    [first] = rows(pozytywka(*command), "train")
    assert (first["variant"], first["unchanged"]) == ("mean", False)
    [second] = rows(pozytywka(*command), "train")
    assert (second["version"], second["unchanged"]) == (first["version"], True)
    told = pozytywka("predict", "weekly", "--data-dir", tmp_path / "data", "--artifacts-dir", tmp_path / "a").err
    assert [line for line in told.splitlines() if "mean, a fallback for lstm" in line] == told.splitlines()[:1]
    forecast = pl.read_parquet(tmp_path / "a" / "predictions" / "weekly.parquet")
    assert forecast["method"].unique().to_list() == ["mean, a fallback"]


def test_no_promote_leaves_the_promoted_version(pozytywka, sampled, tmp_path, quick):
    """The version is saved and listed, and `predict` does not see it."""
    folders = ["--data-dir", sampled, "--artifacts-dir", tmp_path]
    assert pozytywka("train", "weekly", "--variant", "mean", "--no-promote", *folders).code == 0
    [row, *_] = rows(pozytywka("models", "list", "--json", *folders), "models list")
    assert row["promoted"] is False
    assert pozytywka("predict", "weekly", *folders).code == 4


def test_a_model_that_is_worse_is_not_promoted(pozytywka, sampled, tmp_path, quick, monkeypatch):
    """Its baseline is, both figures are shown, and --strict exits 3."""
    monkeypatch.setattr("pozytywka_cli.families.weekly.train.MARGIN", -10.0)
    folders = ["--data-dir", sampled, "--artifacts-dir", tmp_path]
    answer = pozytywka("train", "weekly", "--variant", "linear", "--strict", *folders)
    assert answer.code == 3
    assert "warning: weekly linear " in answer.err
    assert "error: worse than the baseline: weekly\n" in answer.err
    assert "worse: baseline promoted" in " ".join(answer.out.split())
    listed = rows(pozytywka("models", "list", "--json", *folders), "models list")
    assert {row["variant"] for row in listed if row["promoted"]} == {"mean"}
    compared = pozytywka("evaluate", "weekly", *folders)
    assert "Promoted: mean " in compared.out
    assert "as linear " in " ".join(compared.out.split())


def test_predict_writes_a_forecast_of_every_artist_and_shows_the_top(pozytywka, sampled, trained):
    """artifacts/predictions/weekly.parquet, and a table on stdout."""
    answer = pozytywka("predict", "weekly", "--data-dir", sampled, "--artifacts-dir", trained)
    assert answer.code == 0
    assert answer.out.startswith("Seconds")
    forecast = pl.read_parquet(trained / "predictions" / "weekly.parquet")
    assert {"artist_id", "name", "week", "mean", "q10", "q90", "change", "trend"} <= set(forecast.columns)
    assert (forecast["q10"] <= forecast["q90"]).all()


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_predict_skip_reads_pairs_in_three_formats(pozytywka, sampled, trained, tmp_path, suffix):
    """The same pairs give the same lines, whatever their format."""
    tracks = pl.read_ndjson(sampled / "tracks.jsonl")["id"][:3]
    pairs = pl.DataFrame({"user_id": [101, 102, 999_999], "track_id": tracks})
    path = tmp_path / f"pairs.{suffix}"
    {"csv": pairs.write_csv, "jsonl": pairs.write_ndjson, "parquet": pairs.write_parquet}[suffix](path)
    answer = pozytywka("predict", "skip", path, "--data-dir", sampled, "--artifacts-dir", trained)
    found = [json.loads(line) for line in answer.out.splitlines()]
    assert [(row["user_id"], row["track_id"]) for row in found] == list(pairs.iter_rows())
    assert all(0 < row["probability"] < 1 for row in found)
    assert [row["reason"] for row in found] == ["model", "model", "unknown user"]


def test_predict_skip_reads_standard_input(pozytywka, sampled, trained, monkeypatch):
    """`-`: a bad line is a warning, the others are answered, and it exits with 3; a byte order mark is no problem."""
    folders = ["--data-dir", sampled, "--artifacts-dir", trained]

    class Stdin:
        buffer = io.BytesIO(
            b'\xef\xbb\xbf{"user_id": 101, "track_id": "x"}\n{"user_id": "a", "track_id": "x"}\n'
            b'{"user_id": 102, "track_id": "x", "at": "2026-01-05 10:00:00"}\n'
        )

    monkeypatch.setattr(sys, "stdin", Stdin)
    answer = pozytywka("predict", "skip", "-", *folders)
    assert answer.code == 3
    assert "warning: -:2: user_id breaks `type`" in answer.err
    assert [json.loads(line)["user_id"] for line in answer.out.splitlines()] == [101, 102]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("user_id,track_id\n101,x\nten,y\n", ["pairs.csv:3: user_id", "ten"]),
        ("user_id,track_id\n101,\n", ["pairs.csv:2: track_id"]),
        ("user_id\n101\n", ["pairs.csv", "track_id"]),
        ("hello\n", ["pairs.csv", "user_id"]),
        ("user_id,track_id,at\n101,x,yesterday\n", ["pairs.csv:2: at", "yesterday"]),
        ("user_id,track_id,at\n101,x,17676\n", ["pairs.csv:2: at", "1970"]),
    ],
)
def test_a_bad_request_in_a_file_is_refused(pozytywka, sampled, trained, tmp_path, monkeypatch, content, words):
    """With the file, line, column and value."""
    monkeypatch.chdir(tmp_path)
    Path("pairs.csv").write_text(content)
    answer = pozytywka("predict", "skip", "pairs.csv", "--data-dir", sampled, "--artifacts-dir", trained)
    assert (answer.code, answer.out) == (3, "")
    assert [word for word in words if word not in answer.err] == []


def test_times_of_pairs_are_read_in_every_dialect(pozytywka, sampled, trained, tmp_path):
    """Plain, with an offset, and as epoch milliseconds, in one CSV file."""
    track = pl.read_ndjson(sampled / "tracks.jsonl")["id"][0]
    times = ["2026-01-05T12:00:00", "2026-01-05T13:00:00+01:00", "1767614400000"]
    path = tmp_path / "pairs.csv"
    path.write_text("user_id,track_id,at\n" + "".join(f"101,{track},{time}\n" for time in times))
    answer = pozytywka("predict", "skip", path, "--data-dir", sampled, "--artifacts-dir", trained)
    assert len({json.loads(line)["at"] for line in answer.out.splitlines()}) == 1


def test_a_moment_is_written_alike_in_every_format_that_is_text(pozytywka, sampled, trained, tmp_path):
    """Lines, JSON, JSONL and CSV; and that text is a moment of a request."""
    track = pl.read_ndjson(sampled / "tracks.jsonl")["id"][0]
    pairs, moment = tmp_path / "pairs.csv", "2026-01-05T12:00:00.000000Z"
    pairs.write_text(f"user_id,track_id,at\n101,{track},{moment}\n")
    command = ["predict", "skip", pairs, "--data-dir", sampled, "--artifacts-dir", trained]
    pozytywka(*command, "-o", tmp_path / "answers.csv")
    pozytywka(*command, "-o", tmp_path / "answers.jsonl")
    line, (row,) = pozytywka(*command).out, rows(pozytywka(*command, "--json"), "predict")
    read = pl.read_csv(tmp_path / "answers.csv", infer_schema=False)["at"][0]
    assert [json.loads(line)["at"], row["at"], read] == [moment] * 3
    assert (tmp_path / "answers.jsonl").read_text() == line


def test_models_are_listed_shown_verified_promoted_and_rolled_back(pozytywka, trained, tmp_path):
    """The whole life of a version by hand."""
    store = shutil.copytree(trained, tmp_path / "artifacts", symlinks=True)
    where = ["--artifacts-dir", store]
    listed = rows(pozytywka("models", "list", "skip", "--json", *where), "models list")
    assert set(listed[0]) == {"family", "variant", "version", "promoted", "created", "protocol", "metric", "value"}
    version = listed[0]["version"]
    assert pozytywka("models", "show", "skip", *where).out.startswith("# skip: ")
    [manifest] = rows(pozytywka("models", "show", "skip", version[-8:], "--json", *where), "models show")
    assert manifest["version"] == version
    assert pozytywka("models", "verify", *where).code == 0
    assert pozytywka("models", "promote", "skip", version, *where).code == 0
    assert pozytywka("models", "promote", "skip", "nope", *where).code == 4
    weights = next((store / "skip" / "versions" / version).glob("*.json"))
    weights.write_bytes(weights.read_bytes() + b" ")
    broken = pozytywka("models", "verify", *where)
    assert broken.code == 4
    assert broken.err.count(f"{weights} is damaged") == 1


def test_a_damaged_artifact_is_never_read(pozytywka, sampled, trained, tmp_path):
    """One flipped byte: exit 4, the file named, and the way back."""
    store = shutil.copytree(trained, tmp_path / "artifacts", symlinks=True)
    weights = next((store / "skip" / "current").glob("*.safetensors"), None) or next(
        (store / "skip" / "current").glob("model.json")
    )
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    answer = pozytywka("predict", "skip", "--data-dir", sampled, "--artifacts-dir", store)
    assert answer.code == 4
    assert weights.name in answer.err
    assert "pozytywka models rollback" in answer.err


def test_schema_prints_columns_and_rules(pozytywka):
    """As tables and as JSON."""
    answer = pozytywka("schema", "--json")
    columns = {(row["table"], row["column"]) for row in rows(answer, "schema")}
    assert ("sessions", "event_type") in columns
    assert {"json", "type", "order"} <= {rule["rule"] for rule in json.loads(answer.out)["rules"]}
    assert "event_type" in pozytywka("schema").out


def test_evaluate_prints_every_variant_beside_its_baselines(pozytywka, sampled, tmp_path, quick):
    """One row for each metric, with the p-value of each difference; the same in a file."""
    answer = pozytywka("evaluate", "weekly", "--data-dir", sampled, "--artifacts-dir", tmp_path, "--json")
    found = rows(answer, "evaluate")
    assert set(found[0]) == {"family", "variant", "protocol", "metric", "value", "low", "high", "p_value"}
    assert {"lstm", "mean", "linear"} <= {row["variant"] for row in found}
    assert {row["metric"] for row in found if row["p_value"] is not None} == {"rmse_difference"}
    for suffix, read in (("csv", pl.read_csv), ("parquet", pl.read_parquet)):
        target = tmp_path / f"rows.{suffix}"
        more = ["--data-dir", sampled, "--artifacts-dir", tmp_path, "-o", target]
        assert pozytywka("evaluate", "weekly", *more).out == ""
        assert read(target).to_dicts() == found


def test_evaluate_prints_tables_that_fit_and_conclusions(pozytywka, sampled, trained):
    """The default first, then from best to worst; every metric is a column; and what is best and what is promoted."""
    answer = pozytywka("evaluate", "weekly", "--data-dir", sampled, "--artifacts-dir", trained)
    assert answer.code == 0
    assert max(map(len, answer.out.splitlines())) <= 100
    assert "\x1b" not in answer.out
    first, *_ = answer.out.split("\n\n")
    header, body = first.split("─\n")
    assert all(label in header for label in ("RMSE", "MAE", "↓", "95 %", "vs", "coverage"))
    lines = [line.split() for line in body.split("\nBest")[0].splitlines()]
    variants, errors = [line[0] for line in lines], [float(line[1].replace(",", "")) for line in lines]
    assert variants[0] == "lstm"
    assert errors[1:] == sorted(errors[1:])
    assert "Best by RMSE" in first
    assert "Promoted: " in answer.out


@pytest.mark.parametrize(("family", "metric", "plain"), [("weekly", "rmse", "mean"), ("skip", "log_loss", "constant")])
def test_evaluate_planted_needs_no_data_and_knows_the_best(
    pozytywka, tmp_path, quick, monkeypatch, family, metric, plain
):
    """The truth's own figure is the lowest, and shares of it run from the baseline's 0."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pozytywka_cli.pipeline.evaluate.USERS", 40)
    monkeypatch.setattr("pozytywka_cli.pipeline.evaluate.WEEKS", 30)
    found = rows(pozytywka("evaluate", family, "--planted", "--json"), "evaluate")
    errors = {row["variant"]: row["value"] for row in found if row["metric"] == metric}
    shares = {row["variant"]: row["value"] for row in found if row["metric"] == f"{metric}_share_of_best"}
    assert min(errors, key=errors.get) == "truth"
    assert shares[plain] == 0
    assert all(share < 1 for share in shares.values())
    assert list(tmp_path.iterdir()) == []


def test_a_family_without_enough_data_does_not_keep_the_others_from_training(pozytywka, tmp_path, quick):
    """Two weeks are too few for weekly: skip and similar are trained, and the run exits 3 with the reason."""
    assert pozytywka("-q", "sample", tmp_path / "data", "--users", "40", "--weeks", "2").code == 0
    answer = pozytywka("train", "--data-dir", tmp_path / "data", "--artifacts-dir", tmp_path / "a")
    assert answer.code == 3
    assert "error: weekly: " in answer.err
    assert {line.split()[0] for line in answer.out.splitlines()[2:]} >= {"skip", "similar"}
    assert (tmp_path / "a" / "skip" / "current").exists()
    assert (tmp_path / "a" / "similar" / "current").exists()
