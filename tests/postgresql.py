"""A PostgreSQL server in a temporary folder, where its programs are installed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

DEBIAN = Path("/usr/lib/postgresql")  # its packages put the programs below, a folder for each version, none on PATH
USER = "nobody"  # the server refuses to run as root
MISSING = f"PostgreSQL is not installed: there is no initdb on PATH or below {DEBIAN}"


def programs() -> Path | None:
    """Return the folder of the server's programs, of Debian's newest version or else on PATH; None if they are missing.

    PATH may hold the programs of a client alone.
    """
    versions = sorted(DEBIAN.glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True)
    found = shutil.which("initdb", path=os.pathsep.join([*map(str, versions), os.environ.get("PATH", "")]))
    return Path(found).parent if found else None


@contextmanager
def server(folder_of_programs: Path, *options: str) -> Iterator[str]:
    """Run a server in a temporary folder, with a socket there, and yield its URL; `options` are settings like `a=b`."""
    folder = Path(mkdtemp(prefix="pg-"))  # not below pytest's folder, which another user cannot enter
    prefix = []
    if os.geteuid() == 0:
        prefix = ["runuser", "-u", USER, "--"]
        shutil.chown(folder, USER)

    def call(program: str, *words: object) -> None:
        command = [*prefix, folder_of_programs / program, "-D", folder / "data", *words]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, cwd="/")

    settings = ("listen_addresses=''", f"unix_socket_directories={folder}", *options)
    try:
        call("initdb", "-U", "pozytywka", "--auth=trust", "-E", "UTF8")
        call("pg_ctl", "-w", "-o", " ".join(f"-c {one}" for one in settings), "-l", folder / "log", "start")
        try:
            yield f"postgresql://pozytywka@/postgres?host={folder}"
        finally:
            call("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
