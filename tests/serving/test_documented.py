import os
import shutil
import subprocess

import pytest

from tests.docs.blocks import ROOT, blocks

from .conftest import Start
from .running import ADMIN, WRITE

# the commands of the page, with this service's address and folders
PRELUDE = """
set -euo pipefail
curl() { command curl --silent --show-error --fail-with-body "${@/localhost:8000/$ADDRESS}"; echo; }
pozytywka() { "$PYTHON" -m pozytywka_cli -q "$@" --data-dir "$DATA" --artifacts-dir "$ARTIFACTS"; }
"""


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_request_of_the_page_about_serving_is_answered(start: Start, quick: None):
    """In the order of the page, by the programs that it names."""
    service = start()
    commands = [block.body for block in blocks(ROOT / "docs" / "serving.md") if "needs a running service" in block.info]
    assert len(commands) >= 3
    environment = os.environ | {
        "ADDRESS": f"127.0.0.1:{service.client.base_url.port}",
        "PYTHON": service.process.args[0],  # type: ignore[index]
        "DATA": str(service.data),
        "ARTIFACTS": str(service.artifacts),
        "TOKEN": WRITE,
        "ADMIN_TOKEN": ADMIN,
    }
    script = PRELUDE + "\n".join(commands)
    ended = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-500:] + ended.stderr[-500:]
    assert script.count("curl ") > 15
