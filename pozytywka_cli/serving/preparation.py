"""Prepare versions in another process, which needs far more memory than the service."""

import asyncio
import os
import sys
from collections.abc import Sequence

from pozytywka_cli.artifacts import Version, locks
from pozytywka_cli.errors import ArtifactError, BusyError
from pozytywka_cli.pipeline import online

WAIT_SECONDS = 1.0  # for another worker that prepares the same version


class Preparation:
    """Runs `pozytywka models prepare` with the options that name the folders."""

    def __init__(self, options: Sequence[str]) -> None:
        self._options = options

    async def ensure(self, version: Version) -> None:
        """Prepare a version, unless that was done.

        Raises:
            ArtifactError: it cannot be prepared.
        """
        while online.can_prepare(version) and not online.is_prepared(version):
            try:
                with locks.held(version.prepared.parent / ".lock", "another worker prepares it", wait=False):
                    await self._run(version)
            except BusyError:
                await asyncio.sleep(WAIT_SECONDS)

    async def _run(self, version: Version) -> None:
        arguments = ["-q", "models", "prepare", version.manifest.family, version.name, *self._options]
        environment = os.environ | {"POZYTYWKA_LOG_FORMAT": "text"}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pozytywka_cli",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        try:
            _, messages = await process.communicate()
        except asyncio.CancelledError:
            process.terminate()
            raise
        if process.returncode or not online.is_prepared(version):
            reason = messages.decode(errors="replace").strip().replace("\n", " ")[-500:]
            name = f"{version.manifest.family} {version.name}"
            raise ArtifactError(f"{name} cannot be prepared: {reason}", "Run `pozytywka models prepare` yourself.")
