"""Measure settings of the skip models for the search of `train --tune`."""

from dataclasses import replace

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import log_loss
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.fitting import TrainingData
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import time_split
from pozytywka_cli.families.skip.validation import fit


def trial(dataset: Dataset, run: TrainingRun) -> float:
    """Return the mean log loss, in nats, of these settings on the last fifth of the time before the test plays.

    The test plays are removed before anything else is done, and the rest is split as the whole log is: the plays that
    the gate is judged on do not rate the settings, and neither do those that test the model (Cawley & Talbot, 2010).

    Raises:
        RefusedError: there are too few plays before the test plays for another split.
    """
    plays = PlayLog.of(dataset).plays
    log = PlayLog.of(replace(dataset, plays=plays.filter(~time_split(plays).test)))
    try:
        data = TrainingData(log, time_split(log.plays), run.settings_as(SkipSettings))
    except RefusedError as error:
        problem = f"--tune leaves out the last fifth of the log's time; before it: {error.message}"
        raise RefusedError(problem, error.hint) from None
    probability = data.predictions(fit(run.variant, data, run).model).probability
    return float(log_loss(data.skipped[data.split.test], probability).mean())
