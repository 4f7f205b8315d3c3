"""The training loop: what depends on the seed, which epoch is used, and when training stops."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pozytywka_cli import learning
from pozytywka_cli.errors import RefusedError, UnavailableError
from pozytywka_cli.learning import (
    Epoch,
    Recipe,
    device,
    epoch_records,
    fit,
    forward,
    load_weights,
    mean_loss,
    seeded,
)

CPU = torch.device("cpu")


def build() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))


def loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    return nn.functional.mse_loss(model(x).squeeze(1), y)


def rows(count: int, seed: int, noise: float = 0.1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 3, generator=generator)
    return x, x @ torch.tensor([1.0, -2.0, 0.5]) + noise * torch.randn(count, generator=generator)


def recipe(**changes: object) -> Recipe:
    plain = {"epochs": 6, "batch_size": 16, "learning_rate": 0.02, "weight_decay": 0.01, "patience": 3}
    return Recipe(**{**plain, **changes})  # type: ignore[arg-type]


def weights(model: nn.Module) -> list[Tensor]:
    return [tensor.clone() for tensor in model.state_dict().values()]


def same(left: list[Tensor], right: list[Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(left, right, strict=True))


def trained(
    seed: int = 0, validation: tuple[Tensor, ...] | None = None, **changes: object
) -> tuple[nn.Module, list[Epoch]]:
    model = seeded(seed, build)
    epochs = list(fit(model, loss, rows(100, 1), validation, recipe(**changes), seed=seed, device=CPU))
    return model, epochs


def test_first_weights_depend_only_on_the_seed() -> None:
    """The random state of the caller is not changed."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = seeded(1, build)
    assert torch.equal(torch.rand(3), expected)
    assert same(weights(first), weights(seeded(1, build)))
    assert not same(weights(first), weights(seeded(2, build)))


@pytest.mark.parametrize("one_cycle", [False, True])
def test_the_same_seed_gives_the_same_weights(one_cycle: bool) -> None:
    """Bit by bit, with dropout, whatever the state of torch's global generator; another seed gives others."""
    first, epochs = trained(one_cycle=one_cycle, max_norm=1.0, rows_per_epoch=50)
    torch.rand(7)
    second, again = trained(one_cycle=one_cycle, max_norm=1.0, rows_per_epoch=50)
    assert same(weights(first), weights(second))
    assert [epoch.train_loss for epoch in epochs] == [epoch.train_loss for epoch in again]
    assert not same(weights(first), weights(trained(seed=1, one_cycle=one_cycle)[0]))


def test_training_learns() -> None:
    """The loss falls, and the model ends in evaluation mode with the best epoch's weights."""
    validation = rows(50, 2)
    model, epochs = trained(validation=validation, epochs=30)
    assert [epoch.epoch for epoch in epochs] == list(range(len(epochs)))
    assert {epoch.epochs for epoch in epochs} == {30}
    assert epochs[0].best
    assert math.isnan(epochs[0].train_loss)
    best = min(epochs, key=lambda epoch: epoch.validation_loss)
    assert best.validation_loss < 0.2 * epochs[0].validation_loss
    assert not model.training
    assert mean_loss(model, loss, validation) == best.validation_loss
    assert [epoch.best for epoch in epochs] == [
        epoch.validation_loss < min((e.validation_loss for e in epochs[:number]), default=math.inf)
        for number, epoch in enumerate(epochs)
    ]


def test_epoch_0_is_the_best_where_training_only_harms() -> None:
    """Where every epoch is worse than the untrained weights, those are used, after `patience` epochs."""
    x, _ = rows(100, 1)
    untrained = seeded(0, build).eval()
    with torch.no_grad():
        perfect = (x, untrained(x).squeeze(1))
    model, epochs = trained(validation=perfect, epochs=10, patience=4)
    assert [epoch.best for epoch in epochs] == [True, False, False, False, False]
    assert epochs[0].validation_loss == 0
    assert same(weights(model), weights(untrained))


def test_patience_counts_from_the_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A better epoch begins the count anew; equally good is not better."""
    losses = iter([5.0, 4.0, 4.5, 4.0, 3.0, 3.5, 3.0, 9.0, 1.0])
    monkeypatch.setattr(learning, "mean_loss", lambda *_: next(losses))
    _, epochs = trained(validation=rows(5, 2), epochs=20, patience=3)
    assert [epoch.validation_loss for epoch in epochs] == [5.0, 4.0, 4.5, 4.0, 3.0, 3.5, 3.0, 9.0]
    assert [epoch.epoch for epoch in epochs if epoch.best] == [0, 1, 4]


@pytest.mark.parametrize("patience", [0, 1, 3])
def test_without_validation_every_epoch_is_run(patience: int) -> None:
    """Patience has no effect."""
    _, epochs = trained(patience=patience)
    assert [(epoch.epoch, epoch.best) for epoch in epochs] == [(number, True) for number in range(1, 7)]
    assert all(math.isnan(epoch.validation_loss) for epoch in epochs)


def test_one_epoch_sees_each_row_once() -> None:
    """In another order in each epoch; `rows_per_epoch` limits their number."""
    seen: list[list[float]] = []

    def spy(model: nn.Module, x: Tensor) -> Tensor:
        if model.training:
            seen.append(x[:, 0].tolist())
        return model(x).square().mean()

    x = torch.arange(10.0).unsqueeze(1)
    for most, drawn in ((None, 10), (7, 7), (99, 10)):
        seen.clear()
        plan = recipe(epochs=2, batch_size=4, rows_per_epoch=most)
        list(fit(nn.Linear(1, 1), spy, (x,), None, plan, seed=0, device=CPU))
        rows_seen = [value for batch in seen for value in batch]
        first, second = rows_seen[:drawn], rows_seen[drawn:]
        assert len(set(first)) == len(set(second)) == drawn
        assert first != second


def test_the_mean_loss_is_over_rows() -> None:
    """Blocks of unequal size do not bias it."""
    model, data = seeded(0, build).eval(), rows(10, 3)
    with torch.no_grad():
        expected = float(loss(model, *data))
    assert mean_loss(model, loss, data, rows=4) == pytest.approx(expected, rel=1e-6)


def test_a_missing_gpu_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no silent fallback: exit code 5, with the reason."""
    assert device(gpu=False) == CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for version, reason in ((None, "built without CUDA"), ("13.0", "no CUDA device")):
        monkeypatch.setattr(torch.version, "cuda", version)
        with pytest.raises(UnavailableError) as raised:
            device(gpu=True)
        assert raised.value.exit_code == 5
        assert reason in raised.value.message
        assert "--gpu" in raised.value.hint


@pytest.mark.parametrize("double", [False, True])
def test_an_output_does_not_depend_on_the_other_rows(double: bool) -> None:
    """Bit by bit, in batches of any size, in evaluation mode; the network itself stays in single precision."""
    network, (x, _) = seeded(0, build), rows(600, 4)
    whole = forward(network, (x,), double=double)
    assert (whole.shape, whole.dtype) == ((600, 1), torch.float32)
    for part in (slice(0, 1), slice(5, 77), slice(500, 600)):
        assert torch.equal(forward(network, (x[part],), double=double), whole[part])
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    with torch.no_grad():
        assert torch.allclose(whole, network.eval()(x), atol=1e-6)


def test_epoch_records_have_no_nan_and_no_seconds() -> None:
    """So that equal runs give equal bytes; further fields come first."""
    epochs = [Epoch(0, 2, math.nan, 0.5, True, 0.0), Epoch(1, 2, 0.75, math.nan, True, 1.5)]
    assert epoch_records(epochs, member=3) == [
        {"member": 3, "epoch": 0, "validation_loss": 0.5},
        {"member": 3, "epoch": 1, "train_loss": 0.75},
    ]


def test_the_one_cycle_rises_and_falls() -> None:
    """The learning rate climbs to its maximum and ends near zero, over all epochs."""
    optimizer = torch.optim.AdamW(build().parameters(), lr=0.02)
    schedule = learning._one_cycle(optimizer, recipe(), batches=10)
    rates = []
    for _ in range(60):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step() if len(rates) < 60 else None
    top = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.02)
    assert all(left < right for left, right in pairwise(rates[: top + 1]))
    assert all(left > right for left, right in pairwise(rates[top:]))
    assert rates[-1] < 1e-5


def test_weights_that_are_not_finite_are_no_model() -> None:
    """Training without validation rows that diverged is refused, with what to do."""
    x, y = rows(40, 6)
    with pytest.raises(RefusedError, match="finite") as refused:
        list(fit(build(), loss, (x, y * math.inf), None, recipe(epochs=1), seed=0, device=CPU))
    assert "--set" in refused.value.hint


def test_weights_of_another_model_are_not_loaded(tmp_path: Path) -> None:
    """Of other names, another type or shape, or not finite; those of the same model are, bit by bit."""
    model, path = seeded(0, build), tmp_path / "weights.safetensors"
    own = model.state_dict()
    save_file(own, path)
    loaded = seeded(1, build)
    load_weights(loaded, path)
    assert same(weights(loaded), weights(model))
    doubled = {name: tensor.double() for name, tensor in own.items()}
    narrower = {name: tensor[..., :1].contiguous() for name, tensor in own.items()}
    unknown = {name: tensor * math.nan for name, tensor in own.items()}
    for other in (doubled, narrower, unknown, {"x": own["0.bias"]}):
        save_file(other, path)
        with pytest.raises((ValueError, RuntimeError)):
            load_weights(seeded(0, build), path)
