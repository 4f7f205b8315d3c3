"""The mixture: each artist's level by several Kalman filters, weighted by how well each explains its weeks."""

from typing import Annotated, NamedTuple, Self

import numpy as np
from msgspec import Meta, structs

from pozytywka_cli.families.weekly.features import Ratio, pooled_ratio, spread_ratio
from pozytywka_cli.families.weekly.forecast import QUANTILES, Forecast, Parameters, compound_poisson, require_history
from pozytywka_cli.families.weekly.models import local_levels
from pozytywka_cli.families.weekly.models.local_levels import EXCESSES, HYPOTHESES, Filtered
from pozytywka_cli.families.weekly.models.shared_index import SharedIndex, shared_index
from pozytywka_cli.families.weekly.series import Floats, Series
from pozytywka_cli.settings import NotNegative

VALIDATION_WEEKS = 13
LEAST_RATIO = 1e-3  # of a week's variance to its mean, in s: filters divide by it
FARTHEST = 25.0  # a squared standardised error counts as this at most: single bursts must not widen all intervals


class Outlook(NamedTuple):
    """What is known of the weeks after a history: mean and variance of listening, (artists, horizon), in s and s².

    shared: the index of all artists, (horizon,)
    posterior: the probability of each hypothesis, (artists, hypotheses)
    """

    mean: Floats
    variance: Floats
    shared: Floats
    posterior: Floats


class Mixture(Parameters, frozen=True):
    """Each artist's level times an index that all artists share, with a compound-Poisson interval.

    The level is the mean over hypotheses of how it moves, each by a Kalman filter and weighted by its posterior
    probability (Bayesian model averaging: Hoeting et al., 1999). A forecast depends on the artist's own history and,
    through the index, on how all artists of the history move together.
    """

    ratio: Ratio
    # how probable each hypothesis is, whoever the artist
    priors: Annotated[tuple[NotNegative, ...], Meta(min_length=len(HYPOTHESES), max_length=len(HYPOTHESES))]
    excess: NotNegative  # the standard deviation of a week's rate relative to the level
    # of the variance, by weeks ahead; the last one is that of all weeks farther ahead, too
    factors: Annotated[tuple[NotNegative, ...], Meta(min_length=1)]

    @classmethod
    def fitted(cls, history: Series, horizon: int = 1) -> Self:
        """Fit the priors to all weeks; the factors to the last 13, a third at most, with priors from before them."""
        weeks = len(history.weeks) - horizon + 1
        origins = range(weeks - min(VALIDATION_WEEKS, weeks // 3), weeks)
        earlier = cls._without_factors(history.before(origins.start))
        squares = [error for origin in origins for error in earlier._squared_errors(history, origin, horizon)]
        factors = np.mean(squares, axis=0) if squares else np.ones(horizon)
        return structs.replace(cls._without_factors(history), factors=tuple(factors.tolist()))

    @classmethod
    def _without_factors(cls, history: Series) -> Self:
        """Fit the priors with every excess, and return the mixture of the largest likelihood."""
        ratio, played = pooled_ratio(history), history.listened.any(axis=1)
        fits = []
        for excess in EXCESSES:
            log_likelihood = _filtered(history, ratio, excess)[-1].log_likelihood[played]
            priors, likelihood = local_levels.fitted_priors(log_likelihood)
            fits.append((likelihood, cls(ratio, tuple(priors.tolist()), excess, (1.0,))))
        return max(fits, key=lambda fit: fit[0])[1]

    def _squared_errors(self, history: Series, origin: int, horizon: int) -> Floats:
        """Return the squared standardised errors of the weeks from `origin` on: (artists with listening, horizon)."""
        outlook = self.outlook(history.before(origin), horizon)
        squares = (history.listened[:, origin : origin + horizon] - outlook.mean) ** 2
        expected = (outlook.variance > 0).all(axis=1)
        return np.asarray(squares[expected] / outlook.variance[expected]).clip(max=FARTHEST)

    def outlook(self, history: Series, horizon: int = 1) -> Outlook:
        """Return what is known of the weeks after `history`; for an artist without listening, zeros."""
        index, unit, ratio, filtered = _filtered(history, self.ratio, self.excess, horizon)
        posterior = local_levels.posterior(filtered.log_likelihood, np.array(self.priors))
        played = history.listened.any(axis=1)
        mean, variance = np.zeros((2, len(unit), horizon))
        for step, (shared, uncertain) in enumerate(zip(index.ahead, index.variance, strict=True)):
            levels, variances = filtered.ahead(step + 1)
            level = (posterior * levels).sum(axis=1)
            variances = (
                variances + local_levels.noise(levels, ratio / shared, self.excess) + (levels - level[:, None]) ** 2
            )
            own = (posterior * variances).sum(axis=1)
            mean[:, step] = np.where(played, np.maximum(shared * unit * level, 0), 0)
            variance[:, step] = np.where(played, (shared * unit) ** 2 * own + (unit * level) ** 2 * uncertain, 0)
        return Outlook(mean, variance, index.ahead, posterior)

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`; an artist without listening gets zeros."""
        return self.interval(self.outlook(require_history(history, 1), horizon))

    def interval(self, outlook: Outlook, upper: float = QUANTILES[-1]) -> Forecast:
        """Return a forecast with its quantiles; for `upper` see `compound_poisson`."""
        steps = np.arange(outlook.mean.shape[1]).clip(max=len(self.factors) - 1)
        variance = outlook.variance * np.array(self.factors)[steps]
        ratio = np.divide(variance, outlook.mean, out=np.zeros_like(variance), where=outlook.mean > 0)
        return compound_poisson(outlook.mean, ratio, upper)


def _filtered(
    history: Series, pooled: float, excess: float, horizon: int = 1
) -> tuple[SharedIndex, Floats, Floats, Filtered]:
    """Filter a history with the pooled ratio of a week's variance to its mean, in seconds.

    Return the index, each artist's unit, its mean (1 s without any), its ratio in that unit, and its filtered level.
    """
    ratio = np.maximum(spread_ratio(history, pooled), LEAST_RATIO)
    index = shared_index(history.listened, ratio, horizon)
    relative = history.listened / index.past
    mean = relative.mean(axis=1)
    unit = np.where(mean > 0, mean, 1.0)
    filtered = local_levels.filtered(relative / unit[:, None], ratio / unit, index.past, excess)
    return index, unit, ratio / unit, filtered
