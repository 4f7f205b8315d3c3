"""Trained models on disk: manifest, hashes, atomic save, checked load, promotion. Knows no models.

<root>/<family>/versions/<version>/manifest.json …     one folder a version, never changed
<root>/<family>/current -> versions/<version>          what serves, swapped by one rename
<root>/<family>/served.json  withdrawn.json            what served, oldest first, and what was rolled back
"""

from pozytywka_cli.artifacts.manifest import CardText, Draft, Manifest, Origin, Stored, Version
from pozytywka_cli.artifacts.store import LOOKUP_BYTES, Store

__all__ = ["LOOKUP_BYTES", "CardText", "Draft", "Manifest", "Origin", "Store", "Stored", "Version"]
