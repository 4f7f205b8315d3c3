"""Draw users: names and addresses, tastes, and when they skip."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_cli.dataset.sample.catalogue import GENRES, Bools, Catalogue, Floats, Ints
from pozytywka_cli.dataset.sample.vocabulary import CITIES, FIRST_NAMES, STREET_KINDS, STREETS, SURNAMES

FIRST_USER = 101
FAVOURITES = 3
BUYERS = 0.24  # share of users who buy premium
KINSHIP = 0.05  # a liked genre makes its kin this much liked
FLOOR = 0.003  # taste for everything else
# logit of a skip per unit of danceability, per minute, per unit of valence, each from its mean; one row a persona
PERSONAS = {
    "even": (0.0, 0.0, 0.0),
    "dancer": (-5.0, 0.0, 0.0),
    "impatient": (0.0, 0.7, 0.0),
    "melancholic": (0.0, 0.0, 5.0),
}


@dataclass(frozen=True)
class Listeners:
    """The users. Rows of every array are users."""

    demand: Floats  # (users, artists) share of the artist's plays; columns sum to 1 over all users
    affinity: Floats  # (users, artists) standard normal
    favourite: Ints  # (users, 3) rows of GENRES
    skip_base: Floats  # (users,) logit
    skip_slopes: Floats  # (users, 3) of danceability, minutes, valence
    like_base: Floats  # (users,) logit
    buyer: Bools  # (users,)

    def __len__(self) -> int:
        """Number of users."""
        return len(self.demand)

    def __getitem__(self, rows: slice) -> "Listeners":
        """Return some of the users; the demand remains a share of all."""
        return Listeners(**{name: values[rows] for name, values in vars(self).items()})


def make_listeners(rng: np.random.Generator, users: int, catalogue: Catalogue) -> Listeners:
    """Draw the tastes and habits of `users` people."""
    taste = _tastes(rng, users, catalogue.belonging)
    affinity = rng.standard_normal((users, len(catalogue.fame)))
    activity = rng.lognormal(0.0, 0.8, users).clip(max=10.0)  # a week has only so many hours
    demand = activity[:, None] * (taste @ catalogue.belonging) * np.exp(0.8 * affinity)
    return Listeners(
        demand=demand / demand.sum(axis=0),
        affinity=affinity,
        favourite=np.argsort(-taste, axis=1)[:, :FAVOURITES],
        skip_base=rng.normal(-1.0, 0.6, users),
        skip_slopes=np.array(list(PERSONAS.values()))[rng.integers(len(PERSONAS), size=users)],
        like_base=rng.normal(-1.2, 0.5, users),
        buyer=rng.random(users) < BUYERS,
    )


def _tastes(rng: np.random.Generator, users: int, belonging: Floats) -> Floats:
    """Draw the taste for each genre (users, genres): two to four, often akin, are liked strongly."""
    kinship = belonging @ belonging.T
    kinship /= kinship.max(axis=1, keepdims=True)
    first = rng.integers(len(GENRES), size=users)
    # the largest of log weight + Gumbel noise are a weighted draw without replacement
    order = np.argsort(-(np.log(kinship[first] + 0.02) + rng.gumbel(size=(users, len(GENRES)))), axis=1)
    rank = np.argsort(order, axis=1)
    liked = (rank < rng.integers(2, 5, (users, 1))) * rng.uniform(0.5, 1.0, (users, len(GENRES)))
    return liked + KINSHIP * (liked @ kinship) + FLOOR


def user_rows(rng: np.random.Generator, listeners: Listeners, premium: Bools) -> pl.DataFrame:
    """Return the columns of users.jsonl; the personal ones are made up."""
    users = len(listeners)

    def words(choices: tuple[str, ...]) -> list[str]:
        return [choices[i] for i in rng.integers(len(choices), size=users)]

    names = zip(words(FIRST_NAMES), words(SURNAMES), strict=True)
    streets = zip(words(STREET_KINDS), words(STREETS), map(str, rng.integers(1, 100, users)), strict=True)
    return pl.DataFrame(
        {
            "user_id": range(FIRST_USER, FIRST_USER + users),
            "name": map(" ".join, names),
            "city": words(CITIES),
            "street": map(" ".join, streets),
            "favourite_genres": np.array(GENRES)[listeners.favourite].tolist(),
            "premium_user": premium,
        }
    )
