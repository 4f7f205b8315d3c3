"""The loss of a trial of settings, on weeks before those that the model is tested on."""

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.metrics import rmse
from pozytywka_cli.families.weekly.models.fit import measure, unavailable
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import split

BACKTEST_WEEKS = 13  # held out too: settings must not be chosen on the weeks of the backtest of `plan rates`


def trial(dataset: Dataset, run: TrainingRun) -> float:
    """Return the RMSE, in seconds, of a model with these settings on as many weeks as the test, before the test weeks.

    The test weeks and those of the backtest are held out first. The rest, if not too short (RefusedError), is split as
    all weeks are: no setting is chosen on weeks that stop the training or test the model (Cawley & Talbot, 2010).
    """
    settings = run.settings_as(WeeklySettings)
    held_out = max(settings.test_weeks, BACKTEST_WEEKS)
    past = split(series(dataset, settings.measure), held_out, settings.horizon).past
    if missing := unavailable(run.variant, len(past.weeks), settings):
        raise RefusedError(f"too few weeks before the test weeks to tune by: {missing}", "Use a longer log.")
    divided = split(past, settings.test_weeks, settings.horizon)
    forecast, _ = measure(run.variant, divided, run)
    return rmse(forecast, divided)
