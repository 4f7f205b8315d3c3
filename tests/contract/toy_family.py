"""A model family in one module, with everything that a family can have: the example of `docs/architecture.md`.

It answers how often a user skips tracks: `rate` by the user's own rate, `overall` by everybody's.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.decoding import read_json
from pozytywka_cli.artifacts.draft import CardText, Draft
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.family import Evaluated, Trained, TrainingRun, Variant
from pozytywka_cli.families.predictor import loading
from pozytywka_cli.records import Metric, Panel, Row
from pozytywka_cli.tuning import LogUniform

if TYPE_CHECKING:
    import polars as pl

    from pozytywka_cli.dataset.loading import Dataset


class ToySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the rates are estimated."""

    prior: Annotated[float, Meta(ge=0, description="plays at the overall rate that every user starts with")] = 4.0


class ToyRequest(msgspec.Struct, frozen=True):
    """A user; `weight` multiplies the answer."""

    user_id: int
    weight: float = 1.0


class ToyModel(msgspec.Struct, frozen=True):
    """The overall skip rate, and those of users."""

    overall: float
    users: dict[str, float]


class ToyPredictor:
    """A loaded model."""

    Request = ToyRequest

    def __init__(self, model: ToyModel) -> None:
        self.model = model

    def predict(self, requests: "pl.DataFrame") -> "pl.DataFrame":
        """Return user_id and rate."""
        import polars as pl

        weight = pl.col("weight").fill_null(1.0) if "weight" in requests.columns else pl.lit(1.0)
        rates = [self.model.users.get(str(user), self.model.overall) for user in requests["user_id"]]
        return requests.select("user_id", pl.Series("rate", rates, pl.Float64) * weight)

    def default_requests(self) -> "pl.DataFrame":
        """Return every user of the model."""
        import polars as pl

        return pl.DataFrame({"user_id": [int(user) for user in self.model.users]}, schema={"user_id": pl.Int64})


class Toy:
    """The toy family."""

    name = "toy"
    question = "How often does a user skip tracks?"
    Settings = ToySettings
    default = reference = "rate"
    baseline = "overall"
    rivals: tuple[str, ...] = ()
    tuning_metric = "squared_error"
    variants: Mapping[str, Variant] = {
        "rate": Variant("each user's own rate", space={"prior": LogUniform(0.1, 100.0)}),
        "overall": Variant("the rate of all plays", baseline=True),
    }
    metrics: Mapping[str, Metric] = {
        "squared_error": Metric("squared error", "lower", "mean squared distance to the outcome; less is better"),
        "accuracy": Metric("accuracy", "higher", "share of outcomes on the more likely side; more is better"),
    }

    def require_gpu(self) -> None:
        """Do nothing: no variant uses a GPU."""

    def train(self, dataset: "Dataset", run: TrainingRun) -> Trained:
        """Measure on the second half of the plays, and fit on all of them."""
        from pozytywka_cli.evaluation import gate

        if dataset.plays.is_empty():
            raise RefusedError("there are no plays", "Add some.")
        test, losses = _losses(dataset, run)
        rows = [Row("toy", name, "second half", "squared_error", float(loss.mean())) for name, loss in losses.items()]
        users = test["user_id"].to_numpy()
        passed = gate("squared_error", self.baseline, losses[run.variant], losses[self.baseline], users, margin=0.01)
        return Trained(
            _draft(self, run.variant, _fit(dataset.plays, run, run.variant), rows, passed),
            _draft(self, self.baseline, _fit(dataset.plays, run, self.baseline), rows, None),
        )

    def evaluate(self, dataset: "Dataset", run: TrainingRun) -> Evaluated:
        """Measure both variants on the second half of the plays, of all users and of the first five."""
        test, losses = _losses(dataset, run)
        some = test["user_id"].is_in(test["user_id"].unique().sort()[:5].implode()).to_numpy()
        rows: list[Row] = []
        for protocol, mask in (("second half", some | True), ("five users", some)):
            rows += _rows(self, run, protocol, test.filter(mask), {name: loss[mask] for name, loss in losses.items()})

        def panels() -> list[Panel]:
            import polars as pl

            bars = pl.DataFrame({"squared error": [losses[name].mean() for name in losses], "variant": list(losses)})
            return [Panel("Toy", "bar", bars, "squared error", "variant")]

        return Evaluated(rows, panels, ["toy is measured on half of the plays"])

    def trial(self, dataset: "Dataset", run: TrainingRun) -> float:
        """Return the squared error on the second half of the plays."""
        return float(_losses(dataset, run)[1][run.variant].mean())

    def open(self, version: Version, dataset: "Dataset | None") -> ToyPredictor:
        """Load a version; it needs no data."""
        with loading(version, self.variants):
            return ToyPredictor(read_json(version.path("model.json"), ToyModel))


def _fit(plays: "pl.DataFrame", run: TrainingRun, variant: str) -> ToyModel:
    import polars as pl

    prior = run.settings_as(ToySettings).prior
    overall = float(plays["skipped"].mean() or 0.0)  # type: ignore[arg-type]
    if variant == "overall":
        return ToyModel(overall, {str(user): overall for user in plays["user_id"].unique().sort()})
    smoothed = (pl.col("skipped").sum() + prior * overall) / (pl.len() + prior)
    users = plays.group_by("user_id").agg(rate=smoothed).sort("user_id")
    return ToyModel(overall, {str(user): rate for user, rate in users.iter_rows()})


def _losses(dataset: "Dataset", run: TrainingRun):  # type: ignore[no-untyped-def]
    half = dataset.plays.height // 2
    plays = dataset.plays.sort("started_at", "user_id")
    test, losses = plays[half:], {}
    for name in FAMILY.variants:
        rates = ToyPredictor(_fit(plays[:half], run, name)).predict(test.select("user_id"))["rate"]
        losses[name] = ((test["skipped"].cast(float) - rates) ** 2).to_numpy()
    return test, losses


def _rows(family: Toy, run: TrainingRun, protocol: str, test: "pl.DataFrame", losses) -> list[Row]:  # type: ignore[no-untyped-def]
    from pozytywka_cli.evaluation import mean_interval, paired_difference, sign_flip

    users, rows = test["user_id"].to_numpy(), []
    for name, loss in losses.items():
        rows.append(Row("toy", name, protocol, "squared_error", *mean_interval(loss, users)))
        rows.append(Row("toy", name, protocol, "accuracy", float((loss < 0.25).mean())))
        if name != run.variant:
            difference = paired_difference(loss, losses[run.variant], users)
            p_value = sign_flip(loss - losses[run.variant], users)
            rows.append(Row("toy", name, protocol, "squared_error_difference", *difference, p_value))
    return rows


def _draft(family: Toy, variant: str, model: ToyModel, rows: list[Row], passed) -> Draft:  # type: ignore[no-untyped-def]
    def write(folder: Path) -> None:
        (folder / "model.json").write_bytes(msgspec.json.encode(model))

    glossary = {name: one.description for name, one in family.variants.items()}
    signature = {"inputs": {"user_id": "int64"}, "outputs": {"rate": "float64"}}
    card = CardText(
        family.question, "Measured on the second half.", "Tests.", "Real users.", "None.", glossary, family.metrics
    )
    return Draft(variant, write, signature, rows, card, gate=passed)


FAMILY = Toy()
