"""What the skip models of all variants have in common, the baselines, and a random forest, as in the old system."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.decoding import decoding
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.evaluation import Flags, Floats
from pozytywka_cli.families.skip.features.genres import UNKNOWN, GenreClusters, Genres, Numbers
from pozytywka_cli.families.skip.features.logistic import expit, logit
from pozytywka_cli.families.skip.features.readers import Inputs, PastRate, Reader, Scaling

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

FOREST = "forest.skops"
TRUSTED = ["sklearn.tree._tree.Tree"]  # in addition to what skops trusts; nothing that can run code
TREES, LEAF = 100, 20  # plays in a leaf: smaller ones memorise single users
COMMONEST = 50  # genres of users and of artists that have a column of their own
READERS: dict[str, type[Reader]] = {
    "advanced": Scaling,
    "simple": Genres,
    "forest": Genres,
    "logistic": Scaling,
    "legacy": GenreClusters,
    "user-rate": PastRate,
    "constant": PastRate,
}


@dataclass(frozen=True)
class Model(ABC):
    """A fitted model; the prediction for a row depends on that row and the log alone."""

    variant: str
    reader: Reader

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped, which is predicted for an unknown user.

        Above it a skip is predicted: with calibrated probabilities that gives the highest balanced accuracy.
        """
        return self.reader.skip_rate

    @abstractmethod
    def probability(self, inputs: Inputs) -> Floats:
        """Return the probability of a skip for rows with these inputs: (rows,)."""

    def predict_proba(self, inputs: Inputs, known: Flags) -> Floats:
        """Return the probability of a skip for rows with these inputs, whose users are `known`: (rows,)."""
        return np.where(known, self.probability(inputs), self.skip_rate)

    def save(self, folder: Path) -> None:
        """Write the model's files."""
        self.reader.save(folder)

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the model of a checked version."""
        variant = version.manifest.variant
        return cls(variant, READERS[variant].load(version))


class Baseline(Model):
    """`user-rate`: the share of the user's known plays that were skipped; `constant`: that of all training plays."""

    def probability(self, inputs: Inputs) -> Floats:
        """Return the rates of the users, or the constant: (rows,)."""
        (rates,) = inputs
        return np.full(len(rates), self.skip_rate) if self.variant == "constant" else rates


def shifted(score: Floats, skip_rate: float) -> Floats:
    """Return the probability whose log-odds are those of `skip_rate` plus `score`; exactly `skip_rate` at 0."""
    return np.where(score == 0, skip_rate, expit(logit(skip_rate) + score))


@dataclass(frozen=True)
class Forest(Model):
    """A fitted random forest over genres, for comparison."""

    classifier: "RandomForestClassifier"

    @classmethod
    def fit(cls, reader: Reader, inputs: Inputs, skipped: Flags, *, rows: int, seed: int) -> Self:
        """Fit on at most `rows` of the plays with these inputs and outcomes, drawn with `seed`."""
        from sklearn.ensemble import RandomForestClassifier

        sample = np.sort(np.random.default_rng(seed).permutation(len(skipped))[:rows])
        classifier = RandomForestClassifier(TREES, min_samples_leaf=LEAF, random_state=seed, n_jobs=-1)
        classifier.fit(columns(*(numbers[sample] for numbers in inputs)), skipped[sample])
        # trees that vote in parallel are summed in any order, which shows in the last bits
        return cls("forest", reader, classifier.set_params(n_jobs=1))

    def probability(self, inputs: Inputs) -> Floats:
        """Return the mean probability of a skip over the trees: (rows,)."""
        if not len(inputs[0]):
            return np.zeros(0)
        votes = self.classifier.predict_proba(columns(*inputs))
        return np.asarray(votes @ self.classifier.classes_.astype(float))  # one class alone if no other was drawn

    def save(self, folder: Path) -> None:
        """Write `model.json`, `vocabulary.json` and `forest.skops`."""
        from skops import io

        super().save(folder)
        io.dump(self.classifier, folder / FOREST)

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the model of a checked version; errors as in `read_classifier`."""
        return cls("forest", Genres.load(version), read_classifier(version.path(FOREST)))


def read_classifier(path: Path) -> "RandomForestClassifier":
    """Read a random forest from a skops file.

    Raises:
        ArtifactError: the file holds a type that is not trusted, or no random forest over these columns.
    """
    from sklearn.ensemble import RandomForestClassifier
    from skops import io
    from skops.io.exceptions import UnsupportedTypeException, UntrustedTypesFoundException

    hint = "Train it again with `pozytywka train skip --force`."
    with decoding(path):
        try:
            loaded = io.load(path, trusted=TRUSTED)
        except (UntrustedTypesFoundException, UnsupportedTypeException) as error:
            reason = str(error).splitlines()[0]
            raise ArtifactError(f"{path} holds something other than a random forest: {reason}", hint) from None
        if type(loaded) is not RandomForestClassifier:
            raise ArtifactError(f"{path} holds a {type(loaded).__name__}, not a random forest", hint)
        votes = loaded.predict_proba(columns(*np.full((2, 1, 1), UNKNOWN)))
        if not (np.isfinite(votes).all() and loaded.classes_.dtype == np.bool_):
            raise ArtifactError(f"{path} holds a random forest of something else", hint)
    return loaded


def columns(user: Numbers, artist: Numbers) -> NDArray[np.float32]:
    """Return which common genres user and artist have, how many each has, and how many they share: (rows, 103)."""
    counts = [(numbers > 0).sum(1) for numbers in (user, artist)]
    shared = sum(((artist == one[:, None]) & (artist > UNKNOWN)).any(1) for one in user.T)
    return np.column_stack([_multi_hot(user), _multi_hot(artist), *counts, shared]).astype(np.float32)


def _multi_hot(numbers: Numbers) -> NDArray[np.bool_]:
    hot = np.zeros((len(numbers), UNKNOWN + COMMONEST + 2), np.bool_)
    np.put_along_axis(hot, np.minimum(numbers, UNKNOWN + COMMONEST + 1), True, axis=1)
    return hot[:, UNKNOWN + 1 : -1]
