"""Explain a prediction: which inputs had the largest effect on it."""

import numpy as np
import polars as pl

from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.models.model import Model
from pozytywka_cli.learning import Tensors

MOST = 3


def because(model: Model, rows: pl.DataFrame, log: PlayLog, inputs: Tensors) -> pl.Series:
    """Return the three inputs with the largest effect on each row's probability, as lists of input, value, effect.

    The `effect` is the probability minus what it would be with that input alone at its training mean (for genres: with
    unknown genres), which takes inputs one at a time (Robnik-Šikonja & Kononenko, 2008). The `value` is the input's
    own, or null for genres. Inputs without an effect are left out; the largest effect comes first.
    """
    unknown = np.full(len(rows), np.nan)
    probability = model.predict_proba(rows, log, inputs)
    names, values, effects = [""] * MOST, [unknown] * MOST, [np.zeros(len(rows))] * MOST  # without an effect: left out
    for name, value, without in model.reader.without(inputs):
        names.append(name)
        values.append(unknown if value is None else value)
        effects.append(probability - model.predict_proba(rows, log, without))
    strongest = np.argsort(-np.abs(effects), axis=0, kind="stable")[:MOST]
    ranks = pl.DataFrame(
        [
            pl.DataFrame(
                {
                    "input": np.array(names)[rank],
                    "value": pl.Series(np.take_along_axis(np.array(values), rank[None], axis=0)[0]).fill_nan(None),
                    "effect": np.take_along_axis(np.array(effects), rank[None], axis=0)[0],
                }
            ).to_struct(str(place))
            for place, rank in enumerate(strongest)
        ]
    )
    with_effect = pl.element().filter(pl.element().struct.field("effect") != 0)
    return ranks.select(because=pl.concat_list(pl.all()).list.eval(with_effect)).to_series()
