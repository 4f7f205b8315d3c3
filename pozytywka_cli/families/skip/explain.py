"""Which inputs moved a prediction most."""

import numpy as np
import polars as pl

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.skip.features.history import Floats
from pozytywka_cli.families.skip.models.baselines import Model, UserRate
from pozytywka_cli.families.skip.models.forest import Forest
from pozytywka_cli.families.skip.models.ensemble import Networks

MOST = 3
UNKNOWN = np.nan  # the value of an input that is no number


def because(model: Model, asked: pl.DataFrame, dataset: Dataset) -> pl.Series:
    """The three inputs that moved each asked row's probability most, strongest first: lists of input, value, effect.

    The `effect` is the probability less what it would be with that input alone at its training mean (of genres: with
    nothing known of them), which takes inputs one at a time (Robnik-Šikonja & Kononenko, 2008). The `value` is the
    input's own, as far as the model reads it, or null for genres. Inputs without an effect are left out.
    """
    names, values, effects = _effects(model, asked, dataset)
    strongest = np.argsort(-np.abs(effects), axis=0, kind="stable")[:MOST]
    ranks = pl.DataFrame(
        [
            pl.DataFrame(
                {
                    "input": np.array(names)[rank],
                    "value": pl.Series(np.take_along_axis(values, rank[None], axis=0)[0]).fill_nan(None),
                    "effect": np.take_along_axis(effects, rank[None], axis=0)[0],
                }
            ).to_struct(str(place))
            for place, rank in enumerate(strongest)
        ]
    )
    moved = pl.element().filter(pl.element().struct.field("effect") != 0)
    return ranks.select(because=pl.concat_list(pl.all()).list.eval(moved)).to_series()


def _effects(model: Model, asked: pl.DataFrame, dataset: Dataset) -> tuple[list[str], Floats, Floats]:
    """The names of at least three inputs, their values and their effects, (inputs, asked) each."""
    found: list[tuple[str, Floats | None, Floats]] = []
    if isinstance(model, UserRate):
        rate = model.predict_proba(asked, dataset)
        found = [("user_rate", rate, rate - model.skip_rate)]
    elif isinstance(model, Networks | Forest):
        inputs = model.reader.inputs(asked, dataset)
        whole = model.predict_proba(asked, dataset, inputs)
        found = [
            (name, value, whole - model.predict_proba(asked, dataset, without))
            for name, value, without in model.reader.without(inputs)
        ]
    nothing = np.full(len(asked), UNKNOWN)
    found += [("", None, np.zeros(len(asked)))] * (MOST - len(found))
    values = [nothing if value is None else value for _, value, _ in found]
    return [name for name, _, _ in found], np.array(values), np.array([effect for _, _, effect in found])
