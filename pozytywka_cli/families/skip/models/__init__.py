"""The skip models of all variants."""

from pozytywka_cli.artifacts import Version
from pozytywka_cli.families.skip.models.forest import Forest
from pozytywka_cli.families.skip.models.model import Baseline, Model
from pozytywka_cli.families.skip.models.networks import Networks


def load(version: Version) -> Model:
    """Load the model of a checked version.

    Raises:
        ArtifactError: the file of a forest holds something else.
    """
    kinds: dict[str, type[Model]] = {"constant": Baseline, "user-rate": Baseline, "forest": Forest}
    return kinds.get(version.manifest.variant, Networks).load(version)
