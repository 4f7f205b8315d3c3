"""Trained models on disk: manifests with hashes, atomic writing, checked loading, promotion. Knows no models.

<root>/<family>/versions/<version>/manifest.json …     one folder for each version, never changed
<root>/<family>/current -> versions/<version>          the promoted version, replaced by one rename
<root>/<family>/prepared/<version>/…                   what is computed from a version and data, see `prepared`
<root>/<family>/served.json  withdrawn.json            versions promoted so far, oldest first, and those rolled back
"""

from pozytywka_cli.artifacts.draft import CardText, Draft, Origin
from pozytywka_cli.artifacts.manifest import Manifest, StoredFile
from pozytywka_cli.artifacts.store import LOOKUP_BYTES, Store
from pozytywka_cli.artifacts.version import Version

__all__ = ["LOOKUP_BYTES", "CardText", "Draft", "Manifest", "Origin", "Store", "StoredFile", "Version"]
