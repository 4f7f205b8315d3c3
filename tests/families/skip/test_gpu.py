"""The networks on a GPU, where there is one."""

from pathlib import Path

import pytest
import torch

from pozytywka_cli.dataset.loading import load
from pozytywka_cli.families.skip.train import train
from pozytywka_cli.records import silent
from pozytywka_cli.settings import SkipSettings

from .trained import value


@pytest.mark.gpu
@pytest.mark.real
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
def test_the_gpu_s_networks_are_as_good_as_the_cpu_s(real: Path, tmp_path: Path):
    """The AUC on 2023's last fifth differs by .002 at most."""
    given = load(real / "pozytywka-2023", tmp_path / "plays.parquet", lambda _: None)
    aucs = [
        value(
            train(given, SkipSettings(), variant="advanced", seed=0, device=device, report=silent).model.metrics,
            "advanced",
            "AUC",
        )
        for device in ("cpu", "cuda")
    ]
    assert abs(aucs[0] - aucs[1]) <= 0.002
