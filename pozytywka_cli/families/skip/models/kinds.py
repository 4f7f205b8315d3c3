"""Load a fitted model of any variant, and the baseline for tracks that it does not know."""

from pozytywka_cli.artifacts import Version
from pozytywka_cli.families.predictor import loading
from pozytywka_cli.families.skip import FAMILY
from pozytywka_cli.families.skip.features.readers import PastRate
from pozytywka_cli.families.skip.models.model import Baseline, Forest, Model
from pozytywka_cli.families.skip.models.networks import Networks

KINDS: dict[str, type[Model]] = {"constant": Baseline, "user-rate": Baseline, "forest": Forest}  # or networks


def load(version: Version) -> Model:
    """Load the model of a checked version; an ArtifactError if a file holds something else."""
    with loading(version, FAMILY.variants):
        return KINDS.get(version.manifest.variant, Networks).load(version)


def fallback(model: Model) -> Model:
    """Return the user's skip rate so far, which is predicted for unknown tracks."""
    return Baseline("user-rate", PastRate(model.skip_rate))
