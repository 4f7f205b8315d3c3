"""What can be tuned of the LSTM, and how good settings are on weeks before those that test the model."""

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.weekly.fit import measured, missing_weeks
from pozytywka_cli.families.weekly.metrics import rmse, split
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.records import silent
from pozytywka_cli.settings import WeeklySettings
from pozytywka_cli.tuning import Choice, LogUniform, Space

METRIC = "RMSE"
KEPT_OUT = 13  # weeks at least: what `plan rates` is backtested over must not have chosen the settings

SPACES: dict[str, Space] = {
    "lstm": {
        "window": Choice((13, 26, 39)),
        "hidden": Choice((16, 32, 64)),
        "batch_size": Choice((256, 512, 1024)),
        "learning_rate": LogUniform(1e-3, 1e-2),
        "weight_decay": LogUniform(1e-5, 1e-1),
    }
}


def trial(dataset: Dataset, settings: WeeklySettings, *, variant: str, seed: int, device: str) -> float:
    """The RMSE, in seconds, of a model with these settings on as many weeks as test the model, before the last ones.

    The test weeks, and those that plans are backtested over, are left out before anything else is done, and the rest is
    split as all weeks are: what stops the training is not what the settings are judged by, and neither is what will
    judge the model (Cawley & Talbot, 2010).

    Raises:
        RefusedError: there are too few weeks before the test weeks to be split again.
    """
    kept_out = max(settings.test_weeks, KEPT_OUT)
    past = split(series(dataset, settings.measure), kept_out, settings.horizon).past
    if missing := missing_weeks(variant, len(past.weeks), settings):
        raise RefusedError(f"--tune leaves out the test weeks; before them: {missing}", "Give it a longer log.")
    divided = split(past, settings.test_weeks, settings.horizon)
    found = measured(variant, divided, settings, seed=seed, device=device, report=silent)
    return rmse(found.forecast, divided)
