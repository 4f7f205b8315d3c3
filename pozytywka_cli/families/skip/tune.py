"""What can be tuned of the skip models, and how good settings are on plays before those that test the model."""

from dataclasses import replace

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import log_loss
from pozytywka_cli.families.skip.features.history import canonical
from pozytywka_cli.families.skip.fit import learn
from pozytywka_cli.families.skip.splits import Split, time_split
from pozytywka_cli.families.skip.training_data import TrainingData
from pozytywka_cli.records import silent
from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.tuning import Choice, LogUniform, Space, Uniform

METRIC = "log loss"

NETWORK: Space = {"dropout": Uniform(0.0, 0.5), "learning_rate": LogUniform(3e-4, 1e-2)}
SPACES: dict[str, Space] = {
    "advanced": {
        "layers": Choice((1, 2, 3)),
        "width": Choice((16, 32, 64, 128)),
        "smoothing": Choice((0.5, 1.0, 2.0, 4.0)),
        **NETWORK,
    },
    "simple": NETWORK,
}


def trial(dataset: Dataset, settings: SkipSettings, *, variant: str, seed: int, device: str) -> float:
    """The mean log loss, in nats, of a model with these settings on the last fifth of the time before the test plays.

    The test plays are left out before anything else is done, and the rest is split as the whole log is: what stops the
    training is not what the settings are judged by, and neither is what will judge the model (Cawley & Talbot, 2010).

    Raises:
        RefusedError: there is too little before the test plays to be split again.
    """
    training_data = TrainingData(*_before_the_test(dataset), settings)
    model = learn(variant, training_data, seed=seed, device=device, report=silent).model
    probability = training_data.answers(model).probability
    return float(log_loss(training_data.skipped[training_data.split.test], probability).mean())


def _before_the_test(dataset: Dataset) -> tuple[Dataset, Split]:
    plays = canonical(dataset.plays)
    earlier = plays.filter(~time_split(plays).test)
    try:
        return replace(dataset, plays=earlier), time_split(earlier)
    except RefusedError as error:
        raise RefusedError(f"--tune leaves out the log's last fifth; before it: {error.message}", error.hint) from None
