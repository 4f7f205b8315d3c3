"""The features of tracks in contexts: `PlayFeatures` from sums in place of plays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Flags, Ints
from pozytywka_cli.families.skip.features.attributes import (
    ATTRIBUTES,
    BINS,
    NEAR_PRIOR,
    SIDE_PRIOR,
    SIDED,
    STEPS,
    Line,
    rates_of_counts,
    sides_of_counts,
)
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.stumps import STRENGTH, Prior, Stumps
from pozytywka_cli.families.skip.features.sums import time_of_week
from pozytywka_cli.families.skip.state.catalogue import Catalogue
from pozytywka_cli.families.skip.state.contexts import Contexts
from pozytywka_cli.families.skip.state.layout import Records

Columns = dict[str, NDArray[Any]]


class Answers:
    """Computes features; what depends on the parameters alone is computed once, as far as it is needed."""

    def __init__(self, parameters: FeatureParameters, catalogue: Catalogue) -> None:
        self.parameters, self.catalogue = parameters, catalogue
        self._table = self._made(0)

    def features(self, contexts: Contexts, row: Ints, track: Ints, advertised: Flags, favourite: Flags) -> Columns:
        """Return the features of rows in contexts `row`, each of one track, by name: (rows,) each.

        `favourite` is whether the main genre of the track's artist is one of the user's favourites.
        """
        smoothing = self.parameters.smoothing
        user = contexts.user_sums(self.parameters).features(self.parameters)
        own_rate, premium, codes = user["user_rate"], contexts.premium, self.catalogue.codes[track]
        sums = contexts.session_sums()
        in_session = {name: values[row] for name, values in vars(sums).items()}
        stumps = Stumps(contexts.users["sided"], premium, self._prior(int(contexts.everything.sum((1, 2)).max())))
        return {
            **{name: values[row] for name, values in user.items()},
            **self._attributes(contexts.users, row, codes, own_rate[row]),
            "stump_average": stumps.average(row, codes[:, : len(SIDED)]),
            "slope_effect": _line(contexts.users, contexts.everything, own_rate, smoothing).effect(
                row, self.catalogue.steps[track]
            ),
            **type(sums)(**in_session).features(own_rate[row], smoothing, advertised),
            **{name: values[row] for name, values in time_of_week(contexts.at).items()},
            "advertisement_before": advertised,
            "premium": premium[row],
            "favourite_genre": favourite,
            **dict(zip(ATTRIBUTES, self.catalogue.attributes[track].T, strict=True)),
        }

    def _attributes(
        self, users: Records, row: Ints, codes: NDArray[np.uint8], own_rate: NDArray[np.float64]
    ) -> Columns:
        smoothing, outcomes = self.parameters.smoothing, users["sided"][:, :, :BINS].sum(3)
        pairs = outcomes.reshape(len(users), len(SIDED), BINS // 2, 2, 2).sum(3)
        near = _totals(np.concatenate([pairs, users["unsided"]], axis=1))
        rates = rates_of_counts(near, row, codes, own_rate, smoothing * NEAR_PRIOR)
        sides = sides_of_counts(_totals(outcomes), row, codes[:, : len(SIDED)], own_rate, smoothing * SIDE_PRIOR)
        columns = {}
        for number, name in enumerate(ATTRIBUTES):
            columns[f"near_{name}"] = rates[:, number]
            if name in SIDED:
                columns[f"below_{name}"], columns[f"above_{name}"] = sides[:, number].T
        return columns

    def _prior(self, most: int) -> Prior:
        """Return the prior of stumps with a table for at least `most` plays."""
        if self._table.most < most:
            self._table = self._made(2 * most)
        return self._table

    def _made(self, most: int) -> Prior:
        return Prior(self.parameters.skip_rate, self.parameters.smoothing * STRENGTH, most)


def _totals(outcomes: Ints) -> Ints:
    """Return plays and skips from plays by outcome: (…, 2)."""
    return np.stack([outcomes.sum(-1), outcomes[..., 1]], axis=-1)


def _line(users: Records, everything: Ints, own_rate: NDArray[np.float64], smoothing: float) -> Line:
    level = STEPS**2 * everything.sum((1, 2))
    return Line(np.concatenate([level[None], users["products"].T]), users["skipped_steps"].T, own_rate, smoothing)
