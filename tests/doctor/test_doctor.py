"""What `doctor` finds, on machines made up for it."""

import ctypes
from pathlib import Path
from types import SimpleNamespace

import pytest

from pozytywka_cli.doctor import contents, cuda, machine
from pozytywka_cli.doctor.finding import Finding
from pozytywka_cli.errors import UnavailableError
from pozytywka_cli.families.similar import implicit_gpu


def found(findings: list[Finding]) -> dict[str, str | None]:
    return {finding.name: finding.found for finding in findings}


@pytest.fixture
def container(tmp_path: Path, monkeypatch) -> Path:
    """A container's folder of limits."""
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    return tmp_path


def test_the_limits_of_a_container_are_told(container):
    """Half a core and a gigabyte, whatever the machine has."""
    (container / "cpu.max").write_text("50000 100000\n")
    (container / "memory.max").write_text(f"{2**30}\n")
    told = found(machine.machine())
    assert told["cores"].endswith(", 0.5 by the container's limit")
    assert told["memory"].startswith("1.0 GiB")


def test_without_limits_the_machine_is_told(container):
    """Nor is a limit that says `max` one."""
    (container / "cpu.max").write_text("max 100000\n")
    told = found(machine.machine())
    assert "limit" not in told["cores"]
    assert None not in told.values()


def test_variables_that_limit_threads_are_told(monkeypatch):
    """Only those that are set."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("POLARS_MAX_THREADS", raising=False)
    assert found(machine.machine())["threads"] == "OMP_NUM_THREADS=3"


def driver(devices: int) -> SimpleNamespace:
    """A driver for CUDA 13.1 with so many devices."""

    def write(value: int):
        def into(pointer: object) -> int:
            pointer._obj.value = value
            return 0

        return into

    return SimpleNamespace(cuInit=lambda _: 0, cuDeviceGetCount=write(devices), cuDriverGetVersion=write(13010))


@pytest.fixture
def linked(monkeypatch):
    """A function that says what the linker finds, by name; nothing else, and no wheel, is there."""

    def only(libraries: dict[str, object]) -> None:
        def load(name: str) -> object:
            if name not in libraries:
                raise OSError(f"{name}: cannot open shared object file")
            return libraries[name]

        monkeypatch.setattr(ctypes, "CDLL", load)
        monkeypatch.setattr(implicit_gpu, "installed", lambda _: None)

    return only


def test_each_missing_library_is_a_finding(linked):
    """With what to install; those that the system has are said to be its own."""
    linked({"libcudart.so.13": None})
    told = {finding.name: finding for finding in cuda.cuda()}
    assert told["libcudart.so.13"].found == "the system's"
    for library in implicit_gpu.LIBRARIES[1:]:
        assert told[library.name].found is None
        assert "pozytywka[gpu]" in told[library.name].hint
    assert told["implicit's CUDA"].found is None


@pytest.fixture
def whole(linked, monkeypatch):
    """A machine with a device and every library; `gpu.require` is what a test says, and torch is not asked."""
    linked({cuda.DRIVER: driver(1), **dict.fromkeys(library.name for library in implicit_gpu.LIBRARIES)})
    monkeypatch.setattr(cuda, "_torch", lambda **_: [])
    return lambda require: monkeypatch.setattr(implicit_gpu, "require", require)


def test_where_nothing_is_missing_implicit_is_asked(whole):
    """And its version told."""
    asked = []
    whole(lambda: asked.append("once"))
    told = found(cuda.cuda())
    assert asked == ["once"]
    assert told["implicit's CUDA"] == cuda.metadata.version("implicit")
    assert None not in told.values()


def test_where_implicit_cannot_it_is_missing(whole):
    """With what it says; so it is where all libraries are there, and the extension cannot be loaded."""

    def require() -> None:
        raise UnavailableError("undefined symbol: rmm", "Install it.")

    whole(require)
    told = {finding.name: finding for finding in cuda.cuda()}
    assert told["implicit's CUDA"] == Finding("gpu", "implicit's CUDA", None, "undefined symbol: rmm. Install it.")
    with pytest.raises(UnavailableError, match="missing are implicit's CUDA"):
        cuda.require(list(told.values()))


@pytest.mark.parametrize(("devices", "expected"), [(2, "2, with a driver for CUDA 13.1"), (0, None)])
def test_the_driver_tells_its_devices(linked, devices, expected):
    """None is as good as no driver."""
    linked({cuda.DRIVER: driver(devices)})
    assert found(cuda.cuda())["driver and device"] == expected


def test_what_is_missing_for_a_gpu_is_named_at_once():
    """What is missing elsewhere does not count."""
    missing = [
        Finding("gpu", "driver", None, "Get one."),
        Finding("gpu", "librmm.so", None),
        Finding("data", "users", None),
    ]
    with pytest.raises(UnavailableError) as unavailable:
        cuda.require(missing)
    assert unavailable.value.message == "no GPU can be used: missing are driver, librmm.so"
    assert unavailable.value.hint == "Get one."
    cuda.require([Finding("gpu", "driver", "1"), missing[-1]])


def test_an_extra_is_found_when_all_of_it_is_installed(monkeypatch):
    """What else is needed is named."""
    lines = ["numpy>=2", 'pytest>=9; extra == "here"', 'pytest>=9; extra == "half"', 'no-such-thing; extra == "half"']
    monkeypatch.setattr(contents.metadata, "requires", lambda _: lines)
    told = {finding.name: finding for finding in contents.extras()}
    assert told["here"].found == f"pytest {pytest.__version__}"
    assert told["half"].found is None
    assert told["half"].hint == "Without no-such-thing: `pip install 'pozytywka[half]'`."
    assert len(told) == 2


def test_tables_are_found_by_their_files(tmp_path):
    """Also of several files; one that stands there twice is a finding, no error."""
    for name in ("users.jsonl", "sessions-1.jsonl", "sessions-2.jsonl", "tracks.jsonl", "tracks.parquet"):
        (tmp_path / name).write_text("{}")
    told = {finding.name: finding for finding in contents.data(tmp_path)}
    assert told["users"].found == f"{tmp_path / 'users.jsonl'}, 2 bytes"
    assert told["sessions"].found == f"{tmp_path / 'sessions-1.jsonl'} and 1 more, 4 bytes"
    assert told["tracks"].found is None
    assert "Keep one of the two" in told["tracks"].hint
    assert told["artists"].found is None


def test_artifacts_that_cannot_be_opened_are_a_finding(tmp_path, monkeypatch):
    """And do not keep the others from being found."""

    def load(_, family):
        raise PermissionError(13, "Permission denied", f"{family}/manifest.json")

    monkeypatch.setattr(contents.Store, "load", load)
    told = {finding.name: finding for finding in contents.artifacts(tmp_path, tmp_path / "plays.parquet")}
    assert told["similar"].found is None
    assert told["similar"].hint == "cannot read similar/manifest.json: Permission denied. Check the path."
