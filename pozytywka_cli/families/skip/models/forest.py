"""A random forest over genres: what the old system served, kept for comparison."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families.skip.features.genres import UNKNOWN, Genres, Numbers
from pozytywka_cli.families.skip.features.history import Flags, Floats
from pozytywka_cli.learning import Tensors

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

FOREST = "forest.skops"
TRUSTED = ["sklearn.tree._tree.Tree"]  # beside what skops itself trusts; nothing that can run code
TREES = 100
LEAF = 20  # plays: smaller leaves learn single users by heart
COMMONEST = 50  # genres that are a column of their own, of users and of artists


@dataclass(frozen=True)
class Forest:
    """A fitted forest and the genres that it reads."""

    variant: ClassVar[str] = "forest"
    reader: Genres
    classifier: "RandomForestClassifier"

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped."""
        return self.reader.skip_rate

    def known(self, asked: pl.DataFrame, dataset: Dataset) -> Flags:
        """Which rows' users are in the users table: (asked,)."""
        return self.reader.known(asked, dataset)

    @classmethod
    def fit(cls, genres: Genres, inputs: Tensors, skipped: Flags, *, rows: int, seed: int) -> Self:
        """Fit on at most `rows` of the plays with these inputs and outcomes, drawn with `seed`."""
        from sklearn.ensemble import RandomForestClassifier

        drawn = np.sort(np.random.default_rng(seed).permutation(len(skipped))[:rows])
        classifier = RandomForestClassifier(TREES, min_samples_leaf=LEAF, random_state=seed, n_jobs=-1)
        classifier.fit(columns(*(tensor.numpy()[drawn] for tensor in inputs)), skipped[drawn])
        # trees that vote in parallel are summed in any order, which shows in the last bits
        return cls(genres, classifier.set_params(n_jobs=1))

    def predict_proba(self, asked: pl.DataFrame, dataset: Dataset, inputs: Tensors | None = None) -> Floats:
        """The probability that each asked row is skipped, the constant where the user is unknown: (asked,)."""
        found = self.probability(self.reader.inputs(asked, dataset) if inputs is None else inputs)
        return np.where(self.known(asked, dataset), found, self.skip_rate)

    def probability(self, inputs: Tensors) -> Floats:
        """What the trees say of rows with these inputs: (rows,)."""
        if not len(inputs[0]):
            return np.zeros(0)
        found = self.classifier.predict_proba(columns(*(tensor.numpy() for tensor in inputs)))
        return np.asarray(found @ self.classifier.classes_.astype(float))  # of one class alone, if no other was drawn

    def save(self, folder: Path) -> None:
        """Write `model.json`, `vocabulary.json` and `forest.skops`."""
        from skops import io

        self.reader.save(folder)
        io.dump(self.classifier, folder / FOREST)

    @classmethod
    def load(cls, version: Version) -> Self:
        """The model of a checked version.

        Raises:
            ArtifactError: the file holds anything but a random forest.
        """
        return cls(Genres.load(version), read_classifier(version.folder / FOREST))


def read_classifier(path: Path) -> "RandomForestClassifier":
    """A random forest from a skops file.

    Raises:
        ArtifactError: the file holds a type that is not trusted, or no random forest.
    """
    from sklearn.ensemble import RandomForestClassifier
    from skops import io
    from skops.io.exceptions import UnsupportedTypeException, UntrustedTypesFoundException

    hint = "Train it again with `pozytywka train skip --force`."
    try:
        found = io.load(path, trusted=TRUSTED)
    except (UntrustedTypesFoundException, UnsupportedTypeException) as error:
        reason = str(error).splitlines()[0]
        raise ArtifactError(f"{path} holds what no random forest holds: {reason}", hint) from None
    if type(found) is not RandomForestClassifier:
        raise ArtifactError(f"{path} holds a {type(found).__name__}, not a random forest", hint)
    return found


def columns(user: Numbers, artist: Numbers) -> NDArray[np.float32]:
    """Which of the commonest genres user and artist have, how many each has, and how many they share: (rows, 103)."""
    counts = [(numbers > 0).sum(1) for numbers in (user, artist)]
    shared = sum(((artist == one[:, None]) & (artist > UNKNOWN)).any(1) for one in user.T)
    return np.column_stack([_multi_hot(user), _multi_hot(artist), *counts, shared]).astype(np.float32)


def _multi_hot(numbers: Numbers) -> NDArray[np.bool_]:
    first = UNKNOWN + 1
    hot = np.zeros((len(numbers), first + COMMONEST + 1), np.bool_)
    for column in np.minimum(numbers, first + COMMONEST).T:
        hot[np.arange(len(numbers)), column] = True
    return hot[:, first : first + COMMONEST]
