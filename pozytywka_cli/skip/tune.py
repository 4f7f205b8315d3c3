"""What can be tuned of the skip models, and how good settings are on plays before those that test the model."""

from dataclasses import replace

from pozytywka_cli.dataset.service import Service
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import log_loss
from pozytywka_cli.records import silent
from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.skip.inputs.history import canonical
from pozytywka_cli.skip.learn import learn
from pozytywka_cli.skip.lesson import Lesson
from pozytywka_cli.skip.split import Split, time_split
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


def trial(service: Service, settings: SkipSettings, *, variant: str, seed: int, device: str) -> float:
    """The mean log loss, in nats, of a model with these settings on the last fifth of the time before the test plays.

    The test plays are left out before anything else is done, and the rest is split as the whole log is: what stops the
    training is not what the settings are judged by, and neither is what will judge the model (Cawley & Talbot, 2010).

    Raises:
        RefusedError: there is too little before the test plays to be split again.
    """
    lesson = Lesson(*_before_the_test(service), settings)
    model = learn(variant, lesson, seed=seed, device=device, report=silent).model
    probability = lesson.answers(model).probability
    return float(log_loss(lesson.skipped[lesson.split.test], probability).mean())


def _before_the_test(service: Service) -> tuple[Service, Split]:
    plays = canonical(service.plays)
    earlier = plays.filter(~time_split(plays).test)
    try:
        return replace(service, plays=earlier), time_split(earlier)
    except RefusedError as error:
        raise RefusedError(f"--tune leaves out the log's last fifth; before it: {error.message}", error.hint) from None
