"""Personal data: `validate` reads them, and they are found nowhere else."""

import io
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_cli.artifacts import Store, Version
from pozytywka_cli.commands.boundary import run
from pozytywka_cli.dataset.loading import Dataset, load
from pozytywka_cli.families import registry
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.play_features import PlayFeatures
from pozytywka_cli.families.skip.features.play_log import PlayLog

SECRETS = ("Secretperson", "Qqsecretcity", "Qqsecretstreet")
WORDS = (*SECRETS, "premium_user")
QUICK = """
[skip]
epochs = 2
[weekly]
epochs = 2
[similar]
factors = 8
iterations = 5
"""
VARIANTS = [
    (name, variant)
    for name in registry.names()
    for variant in registry.get(name).variants
    if variant != "seasonal"  # needs two years; the mean would be its fallback
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample whose users have names and addresses that stand nowhere else, and one with premium_user flipped.

    The folders are `data` and `flipped`; `quick.toml` makes training quick.
    """
    root = tmp_path_factory.mktemp("privacy")
    (root / "quick.toml").write_text(QUICK)
    assert run(["-q", "sample", str(root / "data"), "--users", "20", "--weeks", "22"]) == 0
    named = pl.read_ndjson(root / "data" / "users.jsonl").with_columns(
        name=pl.format("Zażółć Secretperson{}", "user_id"),
        city=pl.lit("Qqsecretcity"),
        street=pl.format("ul. Qqsecretstreet {}", "user_id"),
    )
    named.write_ndjson(root / "data" / "users.jsonl")
    shutil.copytree(root / "data", root / "flipped")
    named.with_columns(~pl.col("premium_user")).write_ndjson(root / "flipped" / "users.jsonl")
    return root


@pytest.fixture(scope="module")
def said(root: Path) -> str:
    """All that training every variant and tuning say of both folders; the artifacts of `data` are in `of data`."""
    commands = [["train", family, "--variant", variant] for family, variant in VARIANTS]
    commands.append(["train", "skip", "--tune", "2"])
    return "".join(call(root, folder, *words) for folder in ("data", "flipped") for words in commands)


def call(root: Path, folder: str, *words: str) -> str:
    """All that a command says, with -v, of one of the folders."""
    given = ("-v", "--config", "quick.toml", "--data-dir", folder, "--artifacts-dir", f"of {folder}")
    heard = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(heard), redirect_stderr(heard):
        patch.chdir(root)
        assert run([*given, *words]) == 0, heard.getvalue()
    return heard.getvalue()


def contents(path: Path) -> Iterator[bytes]:
    """A file as it lies there, and what it holds where it is compressed."""
    yield path.read_bytes()
    if path.suffix == ".parquet":
        yield pl.read_parquet(path, glob=False).write_ndjson().encode()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from map(archive.read, archive.namelist())


def found(words: tuple[str, ...], content: bytes) -> list[str]:
    """The words that stand there, in any encoding that numpy, Arrow or JSON would give them."""
    encodings = ("utf-8", "utf-16-le", "utf-32-le")
    return [word for word in words if any(word.encode(encoding) in content for encoding in encodings)]


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def model(version: Version) -> dict[str, object]:
    """What the files of a version hold, without the manifest, which hashes the inputs.

    A .skops file names its arrays by their place in memory, so that they are compared without their names.
    """
    return {name: arrays(version.folder / name) for name in version.manifest.files}


def arrays(path: Path) -> bytes | list[bytes]:
    if path.suffix != ".skops":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return sorted(archive.read(name) for name in archive.namelist() if name.endswith(".npy"))


@pytest.mark.parametrize("kind", ["plain.json", "packed.parquet", "packed.skops", "wide.npy"])
def test_a_secret_would_be_found(tmp_path: Path, kind: str) -> None:
    """Plain, compressed, and in wide characters."""
    path = tmp_path / kind
    match path.suffix:
        case ".parquet":
            pl.DataFrame({"city": ["Qqsecretcity"] * 1000}).write_parquet(path, compression="zstd")
        case ".skops":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("schema.json", "Qqsecretcity")
        case _:
            path.write_bytes("Qqsecretcity".encode("utf-32-le" if kind.startswith("wide") else "utf-8"))
    assert {word for content in contents(path) for word in found(WORDS, content)} == {"Qqsecretcity"}


def test_validation_counts_people_and_does_not_name_them(root: Path, tmp_path: Path) -> None:
    """On sound data neither the answer, the profile nor the report quotes a name, city or street."""
    page = tmp_path / "report.html"
    heard = call(root, "data", "validate", "--report", f"html={page}", "--json")
    assert found(SECRETS, heard.encode() + page.read_bytes()) == []


def test_nothing_that_is_said_or_written_holds_personal_data(root: Path, said: str) -> None:
    """Every variant trained, everything measured and predicted: stdout, stderr, plays, models, predictions, records."""
    commands = (
        ["evaluate", "--plot", "of data/picture.svg"],
        ["predict"],
        ["predict", "weekly", "--json"],
        ["predict", "skip", "--explain"],
    )
    rest = [call(root, "data", *words) for words in commands]
    shown = [call(root, "data", "models", "show", family) for family in registry.names()]
    assert found(WORDS, "".join([said, *rest, *shown]).encode()) == []
    written = files(root / "of data")
    names = {path.name for path in written}
    assert {"plays.parquet", "skip.parquet", "weekly.parquet", "card.md", "trials.jsonl", "picture.svg"} <= names
    assert "runs" in {path.parent.name for path in written}
    leaks = {path: words for path in written for content in contents(path) if (words := found(WORDS, content))}
    assert leaks == {}


@pytest.mark.parametrize(("family", "variant"), VARIANTS)
def test_premium_user_decides_nothing(root: Path, said: str, family: str, variant: str) -> None:
    """It says who will ever buy, which nobody knows in time: with every one flipped, models are the same to the bit."""
    ours, flipped = (
        [
            model(version)
            for version in map(partial(store.load, family), store.names(family))
            if version.manifest.variant == variant
        ]
        for store in (Store(root / "of data"), Store(root / "of flipped"))
    )
    assert ours == flipped
    assert ours != []


def test_no_feature_knows_premium_user(root: Path) -> None:
    """With every one flipped, all features of all plays are the same."""

    def features(dataset: Dataset) -> pl.DataFrame:
        return PlayFeatures(PlayLog.of(dataset), FeatureParameters.fit(dataset.plays, dataset.tracks))(dataset.plays)

    datasets = [load(root / folder, root / f"{folder}.parquet", lambda _: None) for folder in ("data", "flipped")]
    ours, flipped = map(features, datasets)
    assert_frame_equal(ours, flipped, check_exact=True)
    assert [dataset.users.columns for dataset in datasets] == [["user_id", "favourite_genres"]] * 2
