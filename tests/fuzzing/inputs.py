"""Make the small valid inputs that are mutated, from the sample: `python -m fuzzing.inputs FOLDER`.

tables/data/      five tables of a few events, as JSONL; parquet/ has the same tables
served/           a data folder, artifacts of all families, and requests in three formats
scrobbles/        counts and names
config/           pozytywka.toml
"""

import json
import os
import sys
from pathlib import Path

import polars as pl

from pozytywka_cli.commands.boundary import run

QUICK = {
    "POZYTYWKA_SKIP_EPOCHS": "2",
    "POZYTYWKA_WEEKLY_EPOCHS": "2",
    "POZYTYWKA_SIMILAR_FACTORS": "8",
    "POZYTYWKA_SIMILAR_ITERATIONS": "5",
}
CONFIG = """data_dir = "data"
artifacts_dir = "artifacts"
log_format = "text"

[skip]
epochs = 2
learning_rate = 0.001

[weekly]
horizon = 1

[similar]
factors = 8
weighting = "log1p"
"""
TABLES = {"tracks": "id", "artists": "id", "track_storage": "track_id", "users": "user_id"}  # and their keys


def make(folder: Path) -> None:
    """Write all inputs."""
    sample(folder / "tables" / "data", users=3, weeks=2)
    parquet = folder / "parquet"
    parquet.mkdir()
    for path in (folder / "tables" / "data").iterdir():
        pl.read_ndjson(path, infer_schema_length=None).write_parquet(parquet / f"{path.stem}.parquet")
    sample(folder / "served" / "data", users=8, weeks=12)
    os.chdir(folder / "served")
    assert run(["-q", "train"]) == 0
    events = [json.loads(line) for line in Path("data/sessions.jsonl").read_text(encoding="utf-8").splitlines()]
    plays = pl.DataFrame([event for event in events if event["event_type"] == "PLAY"][-20:])
    pairs = plays.select("user_id", "track_id", "session_id", at="timestamp")
    pairs.write_csv("pairs.csv")
    pairs.write_ndjson("pairs.jsonl")
    pairs.write_parquet("pairs.parquet")
    rows = [(f"u{user}", f"a{artist}", 1 + user * artist % 9) for user in range(12) for artist in range(user % 4, 10)]
    scrobbles = folder / "scrobbles"
    scrobbles.mkdir()
    pl.DataFrame(rows, ["user_id", "artist_id", "scrobbles"], orient="row").write_csv(scrobbles / "s.csv")
    names = [(f"a{artist}", f'Artist "{artist}", and others') for artist in range(10)]
    pl.DataFrame(names, ["artist_id", "artist_name"], orient="row").write_csv(scrobbles / "a.csv")
    (folder / "config").mkdir()
    (folder / "config" / "pozytywka.toml").write_text(CONFIG, encoding="utf-8")


def sample(data: Path, users: int, weeks: int) -> None:
    """Generate a sample, and reduce its tables to what its events name."""
    assert run(["-q", "sample", str(data), "--users", str(users), "--weeks", str(weeks)]) == 0
    rows = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in data.glob("*.jsonl")}
    used = {json.loads(line).get("track_id") for line in rows["sessions"]}
    artists = {json.loads(line)["id_artist"] for line in rows["tracks"] if json.loads(line)["id"] in used}
    for table, key in TABLES.items():
        named = artists if table == "artists" else used
        kept = [line for line in rows[table] if table == "users" or json.loads(line)[key] in named]
        (data / f"{table}.jsonl").write_text("\n".join(kept) + "\n", encoding="utf-8")
    for path in (data / "truth").iterdir():
        path.unlink()
    (data / "truth").rmdir()


if __name__ == "__main__":
    os.environ.update(QUICK)
    make(Path(sys.argv[1]).resolve())
