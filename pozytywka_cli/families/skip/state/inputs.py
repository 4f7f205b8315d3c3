"""The inputs of models from the state, for the readers that take them from a user's plays."""

from typing import TYPE_CHECKING

import numpy as np

from pozytywka_cli.evaluation import Ints
from pozytywka_cli.families.skip.features.attributes import ATTRIBUTES
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.rates import NEVER
from pozytywka_cli.families.skip.features.readers import Inputs, PastRate, Reader, Scaling
from pozytywka_cli.families.skip.state.requests import Requests
from pozytywka_cli.families.skip.state.state import State

if TYPE_CHECKING:
    import polars as pl

    from pozytywka_cli.dataset.loading import Dataset


def reads_plays(reader: Reader) -> bool:
    """Return whether a reader's inputs come from the plays of users, so that the state has them."""
    return isinstance(reader, Scaling | PastRate)


def parameters(reader: Reader, dataset: "Dataset") -> FeatureParameters:
    """Return the parameters of a state for a reader; a reader of no features needs a skip rate and quantiles alone."""
    if isinstance(reader, Scaling):
        return reader.fitted
    from pozytywka_cli.families.skip.features.attribute_rates import edges

    return FeatureParameters(reader.skip_rate, 0.0, 0.0, {name: edges(dataset.tracks[name]) for name in ATTRIBUTES})


def inputs(reader: Reader, state: State, requests: Requests) -> Inputs:
    """Return what an opened reader returns for requests that the state holds, to the last bit."""
    match reader:
        case Scaling():
            return reader.scaled(state.features(requests, reader.names))
        case PastRate():
            return (state.user_rates(requests, reader.skip_rate),)
    raise TypeError(f"the inputs of {type(reader).__name__} are not from plays")


def requests_of(rows: "pl.DataFrame", state: State) -> Requests:
    """Return rows, see `Reader`, as requests to a state."""
    return Requests(
        user=users_of(rows, state),
        track=state.catalogue.find(rows["track_id"]),
        at=rows["started_at"].to_physical().to_numpy(),
        session=rows["session_id"].fill_null(NEVER).to_numpy(),
        advertised=rows["advertisement_before"].to_numpy(),
    )


def users_of(rows: "pl.DataFrame", state: State) -> Ints:
    """Return the rows of the state that hold the users of other rows; for nulls and unknown users 0: (rows,)."""
    return np.where(rows["user_id"].is_null().to_numpy(), 0, state.users.find(rows["user_id"].fill_null(0).to_numpy()))
