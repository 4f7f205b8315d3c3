"""What is mutated: each reader's inputs, and the commands that read them."""

import bz2
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import msgspec
import zstandard

from fuzzing.mutations import mutate

TABLES = ("users", "artists", "tracks", "sessions", "track_storage")
TABLE_COMMANDS = ("validate --json", "validate --quarantine bad", "transform --on-invalid quarantine")
TRAIN_SIMILAR = ("train similar --set similar.factors=2 --set similar.iterations=1 --scrobbles s.csv --artists a.csv",)
ARTIFACT_COMMANDS = {
    "skip": ("predict skip pairs.jsonl", "models verify"),
    "weekly": ("predict weekly", "plan rates --budget 100"),
    "similar": ("similar a", "models list", "models verify"),
    "recommend": ("recommend 101", "models verify"),
}


@dataclass(frozen=True)
class Target:
    """A file that is mutated and the commands that read it.

    reader: the name in the summary; every reader is tried equally often
    folder: the folder of inputs that each run gets a copy of, and in which the command runs
    source: the file whose content is mutated; it is written to `path` in place of `replaced`
    pack: compresses the content, which is mutated before or after
    """

    reader: str
    folder: str
    source: str
    path: str
    commands: tuple[str, ...]
    replaced: str = ""
    pack: Callable[[bytes], bytes] | None = None

    def write(self, inputs: Path, case: Path, random: Random) -> None:
        """Write the mutated file into a copy of the folder."""
        content = (inputs / self.source).read_bytes()
        if self.pack and random.random() < 0.5:
            content = mutate(self.pack(content), random)
        else:
            content = mutate(content, random)
            content = self.pack(content) if self.pack else content
        (case / (self.replaced or self.path)).unlink(missing_ok=True)
        (case / self.path).write_bytes(content)
        if "/current/" in self.path and random.random() < 0.8:
            sign((case / self.path).parent)


def sign(version: Path) -> None:
    """Correct the hashes in a manifest, so that the content of the files is read; nothing if it is no manifest."""
    path = version / "manifest.json"
    try:
        manifest = json.loads(path.read_bytes())
        for name in manifest["files"]:
            content = (version / name).read_bytes()
            manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        manifest.pop("digest")
        compact = msgspec.json.encode(manifest, order="sorted")
        path.write_text(json.dumps(manifest | {"digest": hashlib.sha256(compact).hexdigest()}), encoding="utf-8")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError):
        return


def as_array(content: bytes) -> bytes:
    """Return JSON lines as one array."""
    return b"[" + content.strip().replace(b"\n", b",\n") + b"]"


def all_targets(inputs: Path) -> dict[str, list[Target]]:
    """Return the targets by reader, in an order that depends on nothing but names."""
    targets: dict[str, list[Target]] = {}
    for target in (*_tables(), *_requests(), *_artifacts(inputs)):
        targets.setdefault(target.reader, []).append(target)
    return targets


def _tables() -> Iterator[Target]:
    packs = (("", None), (".gz", gzip.compress), (".bz2", bz2.compress), (".zst", zstandard.compress), ("", as_array))
    for table in TABLES:
        plain = f"data/{table}.jsonl"
        for suffix, pack in packs:
            yield Target(table, "tables", f"tables/{plain}", plain + suffix, TABLE_COMMANDS, plain, pack)
        yield Target(
            table, "tables", f"parquet/{table}.parquet", f"data/{table}.parquet", TABLE_COMMANDS, replaced=plain
        )


def _requests() -> Iterator[Target]:
    for kind in ("csv", "jsonl", "parquet"):
        name = f"pairs.{kind}"
        yield Target(name, "served", f"served/{name}", name, (f"predict skip {name}", "predict skip -"))
    for name in ("s.csv", "a.csv"):
        yield Target("scrobbles", "scrobbles", f"scrobbles/{name}", name, TRAIN_SIMILAR)
    yield Target("settings", "config", "config/pozytywka.toml", "pozytywka.toml", ("settings --json", "models list"))


def _artifacts(inputs: Path) -> Iterator[Target]:
    plays = "artifacts/plays.parquet"
    yield Target("plays", "served", f"served/{plays}", plays, ("predict skip pairs.jsonl", "predict weekly"))
    for path in sorted(inputs.glob("served/artifacts/*/current/*"), key=lambda path: (path.parts[-3], path.name)):
        reader = "manifest" if path.name == "manifest.json" else "version"
        source = str(path.relative_to(inputs))
        yield Target(reader, "served", source, source.removeprefix("served/"), ARTIFACT_COMMANDS[path.parts[-3]])
