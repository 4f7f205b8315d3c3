"""What `--gpu` needs, without a GPU: the libraries are named where missing, and have every symbol where installed.

Those of the `gpu` extra are half a gigabyte. To run the tests that need them, and nothing else of the extra:

    pip install --no-deps --target DIR 'nvidia-cuda-runtime==13.*' 'nvidia-cublas==13.*' 'nvidia-curand==10.4.*' \\
        'librmm-cu13==26.4.*' 'rapids-logger==0.2.*'
    PYTHONPATH=DIR python -m pytest tests/families/similar/test_gpu.py
"""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pozytywka_cli import factorization, implicit_gpu
from pozytywka_cli.errors import UnavailableError
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.similar.evaluate import stability
from pozytywka_cli.families.similar.features import listens
from pozytywka_cli.families.similar.models import als
from pozytywka_cli.families.similar.models.scorers import Embeddings
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.families.similar.splits import hold_out

from .conftest import run

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"
SYSTEM = re.compile(r"@(GLIBC|GLIBCXX|CXXABI|GCC)_|^_?Py|^__gmon_start__$|^_ITM_|^__cxa_finalize")
LOAD = """
from pozytywka_cli.errors import UnavailableError
from pozytywka_cli import factorization, implicit_gpu
from pozytywka_cli.families.similar.models import als
try:
    implicit_gpu.require()
except UnavailableError as error:
    print(error.message)
import pathlib, sys
print(*{line.split()[-1] for line in pathlib.Path("/proc/self/maps").read_text().splitlines() if ".so" in line})
"""


@pytest.fixture
def libraries() -> list[Path]:
    """The installed libraries of the extra."""
    found = {names: implicit_gpu.installed(*names) for names in implicit_gpu.LIBRARIES.items()}
    if missing := [distribution for (_, distribution), path in found.items() if path is None]:
        pytest.skip(f"not installed: {', '.join(dict.fromkeys(missing))}; see the top of {Path(__file__).name}")
    return [path for path in found.values() if path]


def symbols(path: Path, kind: str) -> set[str]:
    """What `nm` lists of a library's dynamic symbols."""
    if shutil.which("nm") is None:
        pytest.skip("there is no nm, of binutils")
    done = subprocess.run(["nm", "-D", f"--{kind}-only", path], capture_output=True, text=True, check=True)
    return {line.split()[-1] for line in done.stdout.splitlines()}


@pytest.mark.gpu
def test_every_symbol_of_the_extension_is_supplied(libraries):
    """By the libraries of the extra, or by the C and C++ runtimes and Python itself."""
    implicit = find_spec("implicit")
    assert implicit is not None
    assert implicit.origin is not None
    (extension,) = (Path(implicit.origin).parent / "gpu").glob("_cuda*.so")
    needed = {name.partition("@")[0] for name in symbols(extension, "undefined") if not SYSTEM.search(name)}
    supplied = {name.partition("@")[0] for path in libraries for name in symbols(path, "defined")}
    assert len(needed) > 50
    assert needed - supplied == set()


@pytest.mark.gpu
def test_the_extension_is_loaded_with_the_libraries_of_the_extra(libraries):
    """The linker finds all of them; what may be missing then is the driver alone."""
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    *problem, loaded = done.stdout.splitlines()
    assert {str(path) for path in libraries} <= set(loaded.split())
    assert not problem or "Cuda Error" in problem[0]


def test_the_extra_has_every_library():
    """Each of the distributions stands in pyproject.toml, bounded from above."""
    extra = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]["gpu"]
    assert {re.split("[<>=]", line)[0] for line in extra} == set(implicit_gpu.LIBRARIES.values())
    assert all(",<" in line for line in extra)


@pytest.mark.gpu
@pytest.mark.real
def test_the_gpu_gives_the_factors_of_the_cpu(lastfm):
    """But for rounding: their ten most similar agree (Jaccard) to .8, over 500 artists."""
    try:
        implicit_gpu.require()
    except UnavailableError as error:
        pytest.skip(error.message)
    split = hold_out(listens(lastfm).counts, seed=0, min_listeners=3)
    runs = [TrainingRun(SimilarSettings(), "als", device=device) for device in ("cpu", "cuda")]
    models = [Embeddings.fit(split, one) for one in runs]
    assert stability(split, *models)[0].mean() >= 0.80


@pytest.mark.parametrize(("name", "distribution"), [("libno.so.13", "nvidia-no"), ("librmm-no.so", "librmm-no")])
def test_a_missing_library_is_named(monkeypatch, name, distribution):
    """With the distribution that has it, and how to install it."""
    monkeypatch.setattr(implicit_gpu, "LIBRARIES", {name: distribution})
    with pytest.raises(UnavailableError) as unavailable:
        implicit_gpu.require()
    assert f"{name} of {distribution} is missing" in unavailable.value.message
    assert "pozytywka[gpu]" in unavailable.value.hint


def test_factors_that_are_not_on_the_gpu_are_refused(monkeypatch):
    """An array of the CPU would mean that implicit computed there without a word."""

    class Matrix:
        def to_numpy(self):
            return np.ones((2, 1), dtype=np.float32)

    extension = ModuleType("implicit.gpu._cuda")
    extension.Matrix = Matrix
    monkeypatch.setitem(sys.modules, "implicit.gpu._cuda", extension)
    assert implicit_gpu.fetched(Matrix()).tolist() == [[1], [1]]
    with pytest.raises(UnavailableError, match="ndarray"):
        implicit_gpu.fetched(np.ones((2, 1)))


@pytest.fixture
def extension(monkeypatch) -> ModuleType:
    """A made-up extension, whose libraries are all there."""
    made = ModuleType("implicit.gpu._cuda")
    monkeypatch.setattr(implicit_gpu, "LIBRARIES", {})
    monkeypatch.setattr(implicit_gpu, "_reload", lambda: None)
    monkeypatch.setitem(sys.modules, "implicit.gpu._cuda", made)
    return made


def test_an_extension_that_finds_a_device_is_enough(extension):
    """However many there are."""
    extension.get_device_count = lambda: 1
    implicit_gpu.require()


def test_a_driver_that_cannot_is_named(extension):
    """With what the extension says, and what it needs."""

    def fail() -> int:
        raise RuntimeError("Cuda Error: no CUDA-capable device is detected")

    extension.get_device_count = fail
    with pytest.raises(UnavailableError, match="no CUDA-capable device") as unavailable:
        implicit_gpu.require()
    assert unavailable.value.hint == implicit_gpu.DRIVER


def test_an_extension_that_cannot_be_loaded_is_named(extension, monkeypatch):
    """The linker names the symbol."""
    monkeypatch.setitem(sys.modules, "implicit.gpu._cuda", None)
    with pytest.raises(UnavailableError, match=r"implicit\.gpu\._cuda") as unavailable:
        implicit_gpu.require()
    assert unavailable.value.hint == implicit_gpu.INSTALL


def test_a_fit_on_the_gpu_uses_its_library_and_fetches_its_factors(counted, monkeypatch):
    """With the CPU's classes in place of the GPU's: the factors are the same, and come through `fetched`."""
    required, fetched = [], []
    monkeypatch.setattr(implicit_gpu, "require", lambda: required.append("once"))
    monkeypatch.setattr(implicit_gpu, "fetched", lambda matrix: fetched.append(matrix.shape) or matrix)
    for name in ("AlternatingLeastSquares", "calculate_loss"):
        monkeypatch.setattr(factorization.implicit.gpu.als, name, getattr(factorization.implicit.cpu.als, name))
    fits = [als.fit(counted.counts, run(device=device), stage="fit") for device in ("cpu", "cuda")]
    assert np.array_equal(fits[0].artists, fits[1].artists)
    assert (required, fetched) == (["once"], [(80, 4), (60, 4)])
