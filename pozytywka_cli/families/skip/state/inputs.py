"""The inputs of models from the state, for the readers that take them from a user's plays."""

import numpy as np
import polars as pl

from pozytywka_cli.families.skip.features.attributes import ATTRIBUTES, edges
from pozytywka_cli.families.skip.features.history import NEVER
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.readers import Inputs, PastRate, Reader, Scaling
from pozytywka_cli.families.skip.state.requests import Requests
from pozytywka_cli.families.skip.state.state import State


def reads_plays(reader: Reader) -> bool:
    """Return whether a reader's inputs come from the plays of users, so that the state has them."""
    return isinstance(reader, Scaling | PastRate)


def parameters(reader: Reader, log: PlayLog) -> FeatureParameters:
    """Return the parameters of a state for a reader; a reader of no features needs a skip rate and quantiles alone."""
    if isinstance(reader, Scaling):
        return reader.fitted
    return FeatureParameters(reader.skip_rate, 0.0, 0.0, {name: edges(log.dataset.tracks[name]) for name in ATTRIBUTES})


def inputs(reader: Reader, state: State, requests: Requests) -> Inputs:
    """Return what an opened reader returns for requests that the state holds, to the last bit."""
    match reader:
        case Scaling():
            return reader.scaled(state.features(requests, list(reader.mean)))
        case PastRate():
            return (state.user_rates(requests, reader.skip_rate),)
    raise TypeError(f"the inputs of {type(reader).__name__} are not from plays")


def requests_of(rows: pl.DataFrame, state: State, log: PlayLog) -> Requests:
    """Return rows, see `Reader`, as requests to a state of this log."""
    user = state.find(rows["user_id"].fill_null(0).to_numpy())
    return Requests(
        user=np.where(rows["user_id"].is_null().to_numpy(), 0, user),
        track=log.tracks.find(rows["track_id"]),
        at=rows["started_at"].to_physical().to_numpy(),
        session=rows["session_id"].fill_null(NEVER).to_numpy(),
        advertised=rows["advertisement_before"].to_numpy(),
    )
