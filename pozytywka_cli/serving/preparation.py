"""Prepare versions in another process, which needs far more memory than the service."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence

from pozytywka_cli.artifacts import Version, locks
from pozytywka_cli.errors import ArtifactError, BusyError, StorageError
from pozytywka_cli.pipeline import online

WAIT_SECONDS = 1.0  # for another worker that prepares the same version
RETRY_SECONDS = 10.0  # after a version could not be prepared


class Preparation:
    """Runs `pozytywka models prepare` with the options that name the folders."""

    def __init__(self, options: Sequence[str]) -> None:
        self._options = options
        self._failures: dict[str, tuple[ArtifactError, float]] = {}  # by version, and when to try again

    async def ensure(self, version: Version) -> None:
        """Prepare a version, unless that was done.

        Raises:
            ArtifactError: it cannot be prepared.
        """
        while online.can_prepare(version) and not online.is_prepared(version):
            failure, again = self._failures.get(version.name, (None, 0.0))
            if failure and time.monotonic() < again:
                raise failure.with_traceback(None)
            try:
                with locks.held(version.prepared.parent / ".lock", "another worker prepares it", wait=False):
                    await self._run(version)
            except BusyError:
                await asyncio.sleep(WAIT_SECONDS)
            except (ArtifactError, StorageError) as error:  # StorageError: the folder cannot be written to
                name = f"{version.manifest.family} {version.name}"
                hint = f"Run `pozytywka models prepare {name}` where the artifacts can be written."
                failure = ArtifactError(f"{name} is not prepared: {error.message}", hint)
                self._failures[version.name] = failure, time.monotonic() + RETRY_SECONDS
                raise failure from None

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
            raise ArtifactError(messages.decode(errors="replace").strip().replace("\n", " ")[-500:])
