"""The networks on a GPU, where there is one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pozytywka_cli.dataset.loading import load
from pozytywka_cli.families.skip import FAMILY

from .trained import DEFAULT, value


@pytest.mark.gpu
@pytest.mark.real
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
def test_networks_trained_on_a_gpu_are_as_good_as_on_the_cpu(real: Path, tmp_path: Path):
    """The AUC on the last fifth of 2023 differs by .002 at most."""
    given = load(real / "pozytywka-2023", tmp_path / "plays.parquet", lambda _: None)
    aucs = [
        value(FAMILY.train(given, replace(DEFAULT, device=device)).model.metrics, "advanced", "roc_auc")
        for device in ("cpu", "cuda")
    ]
    assert abs(aucs[0] - aucs[1]) <= 0.002
