"""Explain predictions by the inputs with the largest effect."""

import numpy as np
import polars as pl

from pozytywka_cli.evaluation import Flags
from pozytywka_cli.families.skip.features.readers import Inputs
from pozytywka_cli.families.skip.models.model import Model

MOST = 3  # inputs of an explanation


def because(model: Model, known: Flags, inputs: Inputs) -> pl.Series:
    """Return the three inputs with the largest effect on each row's probability, as lists of input, value, effect.

    The `effect` is the probability minus what it would be with that input alone at its training mean (for genres: with
    unknown genres), which takes inputs one at a time (Robnik-Šikonja & Kononenko, 2008). The `value` is the input's
    own, or null for genres. Inputs without an effect are left out; the largest effect comes first.
    """
    unknown = np.full(len(known), np.nan)
    probability = model.predict_proba(inputs, known)
    names, values, effects = [""] * MOST, [unknown] * MOST, [np.zeros(len(known))] * MOST  # without an effect: left out
    for name, value, without in model.reader.without(inputs):
        names.append(name)
        values.append(unknown if value is None else value)
        effects.append(probability - model.predict_proba(without, known))
    strongest = np.argsort(-np.abs(effects), axis=0, kind="stable")[:MOST]
    ranks: list[pl.Series] = []
    for rank in strongest:
        value, effect = (np.take_along_axis(np.array(each), rank[None], axis=0)[0] for each in (values, effects))
        columns = {"input": np.array(names)[rank], "value": pl.Series(value).fill_nan(None), "effect": effect}
        ranks.append(pl.DataFrame(columns).to_struct(str(len(ranks))))
    with_effect = pl.element().filter(pl.element().struct.field("effect") != 0)
    return pl.select(because=pl.concat_list(ranks).list.eval(with_effect)).to_series()
