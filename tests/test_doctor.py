"""What `doctor` finds on machines that are simulated."""

import ctypes
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest

from pozytywka_cli import doctor
from pozytywka_cli.doctor import Finding
from pozytywka_cli.errors import UnavailableError
from pozytywka_cli.families import registry
from pozytywka_cli.families.family import Variant


def found(findings: Iterable[Finding]) -> dict[str, str | None]:
    return {finding.name: finding.found for finding in findings}


@pytest.fixture
def container(tmp_path: Path, monkeypatch) -> Path:
    """The folder with the limits of a container."""
    monkeypatch.setattr(doctor, "CGROUP", tmp_path)
    return tmp_path


def test_the_limits_of_a_container_are_shown(container):
    """Half a core and a gigabyte, whatever the machine has."""
    (container / "cpu.max").write_text("50000 100000\n")
    (container / "memory.max").write_text(f"{2**30}\n")
    values = found(doctor.machine())
    assert "limited to 0.5" in values["cores"]
    assert values["memory"].startswith("1.0 GiB")


def test_without_limits_the_whole_machine_is_shown(container):
    """A limit of `max` is no limit."""
    (container / "cpu.max").write_text("max 100000\n")
    values = found(doctor.machine())
    assert "limit" not in values["cores"]
    assert None not in values.values()


def test_variables_that_limit_threads_are_shown(monkeypatch):
    """Only those that are set."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("POLARS_MAX_THREADS", raising=False)
    assert found(doctor.machine())["threads"] == "OMP_NUM_THREADS=3"


def driver(devices: int) -> SimpleNamespace:
    """A driver for CUDA 13.1 with this number of devices."""

    def write(value: int):
        def into(pointer: object) -> int:
            pointer._obj.value = value
            return 0

        return into

    return SimpleNamespace(cuInit=lambda _: 0, cuDeviceGetCount=write(devices), cuDriverGetVersion=write(13010))


class Family:
    """A family whose GPU libraries are as a test needs them."""

    name = "demo"

    def __init__(self, gpu: bool, error: UnavailableError | None = None):
        self.variants = {"net": Variant("a network", gpu=gpu, extra="half"), "mean": Variant("a mean")}
        self.checks, self._error = 0, error

    def require_gpu(self):
        self.checks += 1
        if self._error:
            raise self._error


@pytest.fixture
def family(monkeypatch):
    """A function that makes a family the only one, on a machine with this number of devices."""

    def only(family: Family, devices: int) -> Family:
        monkeypatch.setattr(registry, "MODULES", {family.name: "none"})
        monkeypatch.setattr(registry, "get", lambda _: family)
        monkeypatch.setattr(ctypes, "CDLL", lambda _: driver(devices))
        monkeypatch.setattr(doctor, "_torch", lambda **_: [])
        return family

    return only


def test_the_libraries_of_a_family_are_checked_where_there_is_a_device(family):
    """And the variants listed that can be fitted on it."""
    checked = family(Family(gpu=True), devices=1)
    assert found(doctor.gpu())["train demo --gpu"] == "net"
    assert checked.checks == 1


def test_without_a_device_no_library_is_imported(family):
    """The finding points to the missing device."""
    checked = family(Family(gpu=True), devices=0)
    assert found(doctor.gpu()) == {"device": None, "train demo --gpu": None}
    assert checked.checks == 0


def test_a_family_without_gpu_variants_is_not_listed(family):
    """Only the device is."""
    assert set(found(family(Family(gpu=False), devices=1) and doctor.gpu())) == {"device"}


def test_a_missing_library_is_named(family):
    """With what to do about it, in the finding and where a GPU is required."""
    family(Family(gpu=True, error=UnavailableError("librmm.so is missing", "Install the extra.")), devices=1)
    findings = {finding.name: finding for finding in doctor.gpu()}
    assert "librmm.so is missing" in findings["train demo --gpu"].hint
    with pytest.raises(UnavailableError, match="train demo --gpu") as unavailable:
        doctor.require_gpu(list(findings.values()))
    assert "Install the extra." in unavailable.value.hint


@pytest.mark.parametrize(("devices", "expected"), [(2, "2, driver for CUDA 13.1"), (0, None)])
def test_the_driver_counts_its_devices(monkeypatch, devices, expected):
    """A driver without a device is as good as none."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _: driver(devices))
    assert doctor._devices() == expected


def test_without_a_driver_there_is_no_device(monkeypatch):
    """The linker does not find its library."""

    def load(name: str) -> object:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", load)
    assert doctor._devices() is None


def test_everything_missing_for_a_gpu_is_named_at_once():
    """What is missing elsewhere does not count."""
    missing = [
        Finding("gpu", "device", None, "Get one."),
        Finding("gpu", "librmm.so", None),
        Finding("data", "users", None),
    ]
    with pytest.raises(UnavailableError, match=r"device, librmm\.so$") as unavailable:
        doctor.require_gpu(missing)
    assert unavailable.value.hint == "Get one."
    doctor.require_gpu([Finding("gpu", "device", "1"), missing[-1]])


def test_an_extra_is_found_when_all_of_it_is_installed(monkeypatch, family):
    """Missing libraries are named, with the variants that need them and how to install them."""
    family(Family(gpu=False), devices=0)
    lines = ["numpy>=2", 'pytest>=9; extra == "here"', 'pytest>=9; extra == "half"', 'no-such-thing; extra == "half"']
    monkeypatch.setattr(doctor.metadata, "requires", lambda _: lines)
    findings = {finding.name: finding for finding in doctor.extras()}
    assert findings["here"].found == f"pytest {pytest.__version__}"
    assert findings["half"].found is None
    assert all(part in findings["half"].hint for part in ("no-such-thing", "demo net", "pip install 'pozytywka[half]'"))
    assert len(findings) == 2


def test_tables_are_found_by_their_files(tmp_path):
    """Also those of several files; a table in two formats is a finding, not an error."""
    for name in ("users.jsonl", "sessions-1.jsonl", "sessions-2.jsonl", "tracks.jsonl", "tracks.parquet"):
        (tmp_path / name).write_text("{}")
    findings = {finding.name: finding for finding in doctor.data(tmp_path)}
    assert findings["users"].found == f"{tmp_path / 'users.jsonl'}, 2 bytes"
    assert findings["sessions"].found == f"{tmp_path / 'sessions-1.jsonl'} and 1 more, 4 bytes"
    assert findings["tracks"].found is None
    assert "tracks." in findings["tracks"].hint
    assert findings["artists"].found is None


def test_artifacts_that_cannot_be_opened_are_a_finding(tmp_path, monkeypatch):
    """The others are listed all the same."""

    def load(_, family):
        raise PermissionError(13, "Permission denied", f"{family}/manifest.json")

    monkeypatch.setattr(doctor.Store, "load", load)
    findings = list(doctor.artifacts(tmp_path, tmp_path / "plays.parquet"))
    assert [finding.name for finding in findings] == ["plays", *registry.names()]
    assert all(finding.found is None and finding.hint for finding in findings)
    assert f"{registry.names()[-1]}/manifest.json: Permission denied" in findings[-1].hint
