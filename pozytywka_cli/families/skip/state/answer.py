"""The features of tracks in contexts: `PlayFeatures` from sums in place of plays."""

from collections.abc import Sequence
from typing import Any, NamedTuple

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
    up_to_bins,
)
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.stumps import STRENGTH, Prior, Stumps
from pozytywka_cli.families.skip.features.sums import time_of_week
from pozytywka_cli.families.skip.state.catalogue import Catalogue
from pozytywka_cli.families.skip.state.contexts import Contexts

OF_ROWS = (
    *(f"near_{name}" for name in ATTRIBUTES),
    *(f"{side}_{name}" for name in SIDED for side in ("below", "above")),
    "stump_average",
    "slope_effect",
    "favourite_genre",
    *ATTRIBUTES,
)


class Summary(NamedTuple):
    """What the features of any track need of contexts: (contexts, …) each.

    table: the features that do not depend on the track, that of `user_rate` first
    by_pair: known plays and skips by attribute and pair of bins
    up_to: known plays and skips of three attributes, see `up_to_bins`
    weights, total, rates: see `Stumps`
    line: the weights of `Line`
    """

    table: Any
    by_pair: Any
    up_to: Any
    weights: Any
    total: Any
    rates: Any
    line: Any

    def context(self, number: int) -> "Summary":
        """Return a copy of the summary of one context."""
        return Summary(*(array[number : number + 1].copy() for array in self))

    @staticmethod
    def of_all(summaries: Sequence["Summary"]) -> "Summary":
        """Return one summary of the contexts of several."""
        return summaries[0] if len(summaries) == 1 else Summary(*map(np.concatenate, zip(*summaries, strict=True)))


class Answers:
    """Computes features; what depends on the parameters alone is computed once, as far as it is needed."""

    def __init__(self, parameters: FeatureParameters, catalogue: Catalogue) -> None:
        self.parameters, self.catalogue = parameters, catalogue
        self._prior = self._made(0)
        self._orders: dict[tuple[str, ...], Ints] = {}
        self._of_contexts: tuple[str, ...] = ()

    def summary(self, contexts: Contexts) -> Summary:
        """Compute what depends on the contexts alone."""
        smoothing, counts = self.parameters.smoothing, contexts.counts
        user = contexts.user_sums(self.parameters).features(self.parameters)
        features = {
            **user,
            **contexts.session_sums.features(user["user_rate"], smoothing, contexts.advertised),
            **time_of_week(contexts.at),
            "advertisement_before": contexts.advertised,
            "premium": contexts.known.premium,
        }
        self._of_contexts = tuple(features)
        table = np.array([*features.values()], np.float64).reshape(len(features), -1)
        by_bin = counts.sided[:, :, :BINS].sum(3)
        pairs = by_bin.reshape(len(by_bin), len(SIDED), BINS // 2, 2, 2).sum(3)
        by_pair = np.concatenate([pairs, counts.unsided], axis=1)
        for of_bins in (by_bin, by_pair):  # from plays by outcome to plays and skips
            of_bins[..., 0] += of_bins[..., 1]
        stumps = Stumps.of(counts.sided, np.atleast_1d(contexts.known.premium), self._enough(contexts.most_plays))
        level = STEPS**2 * np.atleast_1d(contexts.totals.plays)[:, None]
        products = np.concatenate([level, counts.products], axis=1)
        line = Line.of(products, counts.skipped_steps, table[0], smoothing)
        return Summary(table.T, by_pair, up_to_bins(by_bin), stumps.weights, stumps.total, stumps.rates, line.weights)

    def features(
        self, summary: Summary, row: Ints, track: Ints, favourite: Flags, names: tuple[str, ...]
    ) -> NDArray[np.float32]:
        """Return the features with these names of rows in contexts `row`, each of one track: (rows, names).

        `favourite` is whether the main genre of the track's artist is one of the user's favourites.
        """
        smoothing, codes = self.parameters.smoothing, self.catalogue.codes[track]
        sided, own_rates = codes[:, : len(SIDED)], summary.table[:, 0]
        own_rate = own_rates[row]
        stumps = Stumps(self._prior, summary.weights, summary.total, summary.rates)
        columns = (
            summary.table[row],
            rates_of_counts(summary.by_pair, row, codes, own_rate, smoothing * NEAR_PRIOR),
            sides_of_counts(summary.up_to, row, sided, own_rate, smoothing * SIDE_PRIOR).reshape(len(row), -1),
            stumps.average(row, sided)[:, None],
            Line(summary.line, own_rates).effect(row, self.catalogue.steps[track])[:, None],
            favourite[:, None],
            self.catalogue.attributes[track],
        )
        return np.concatenate(columns, axis=1, dtype=np.float32, casting="same_kind")[:, self._order(names)]

    def _order(self, names: tuple[str, ...]) -> Ints:
        """Return the places of features among all."""
        if names not in self._orders:
            known = (*self._of_contexts, *OF_ROWS)
            self._orders[names] = np.array([known.index(name) for name in names])
        return self._orders[names]

    def _enough(self, most: int) -> Prior:
        """Return the prior of stumps with a table for at least `most` plays."""
        if self._prior.most < most:
            self._prior = self._made(2 * most)
        return self._prior

    def _made(self, most: int) -> Prior:
        return Prior(self.parameters.skip_rate, self.parameters.smoothing * STRENGTH, most)
