"""A service in a process of its own, asked over the loopback."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

WRITE, ADMIN = "write-0123456789abcdef", "admin-0123456789abcdef"
WRITING = {"Authorization": f"Bearer {WRITE}"}
ADMINISTERING = {"Authorization": f"Bearer {ADMIN}"}
SECONDS = 30


class Service:
    """`pozytywka serve` over a data and an artifacts folder, ready to answer; `prefix` is a command that runs it."""

    def __init__(self, folder: Path, *options: str, prefix: Sequence[str] = (), database: str = "") -> None:
        self.data, self.artifacts, self.messages = folder / "data", folder / "artifacts", folder / "messages.txt"
        tokens = folder / "tokens.txt"
        tokens.write_text(f"write {WRITE}\nadmin {ADMIN}  # a comment\n")
        places = ["--data-dir", str(self.data), "--artifacts-dir", str(self.artifacts), "--tokens", str(tokens)]
        command = [sys.executable, "-m", "pozytywka_cli", "serve", "--port", "0", *places, *options]
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "POZYTYWKA_DATABASE_URL": database}
        with self.messages.open("wb") as messages:
            self.process = subprocess.Popen([*prefix, *command], stderr=messages, env=environment)
        self.client = httpx.Client(base_url=self._address(), timeout=SECONDS)
        self.until_ready()

    def _address(self) -> str:
        for _ in range(100 * SECONDS):
            if found := re.search(r"http://[\d.]+:\d+", self.messages.read_text()):
                return found[0]
            assert self.process.poll() is None, self.messages.read_text()
            time.sleep(0.01)
        raise AssertionError(self.messages.read_text())

    def until_ready(self) -> None:
        """Wait until the models are open."""
        for _ in range(100 * SECONDS):
            if self.client.get("/readyz").status_code == 200:
                return
            time.sleep(0.01)
        raise AssertionError(self.messages.read_text())

    def get(self, path: str, **query: Any) -> httpx.Response:
        """Ask a route."""
        return self.client.get(path, params=query)

    def post(self, path: str, body: Any, **query: Any) -> httpx.Response:
        """Send a body with the token that may write."""
        return self.client.post(path, json=body, params=query, headers=WRITING)

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        self.process.kill()
        self.process.wait()
        self.client.close()

    def stop(self) -> int:
        """End the service as an operator does, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(SECONDS)
        self.client.close()
        return code
