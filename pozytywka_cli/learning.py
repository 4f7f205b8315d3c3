"""The training loop for torch networks: seed, device, early stopping, exact forward passes. Knows no columns."""

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from pozytywka_cli.errors import RefusedError, UnavailableError

Tensors = tuple[Tensor, ...]
Loss = Callable[..., Tensor]
M = TypeVar("M", bound=nn.Module)

BLOCK = 512  # rows of every forward pass: products of matrices of another size may differ in the last bits


@dataclass(frozen=True)
class Epoch:
    """The losses after one pass over the training rows; epoch 0 is the untrained model."""

    epoch: int
    epochs: int
    train_loss: float
    validation_loss: float
    best: bool
    seconds: float


@dataclass(frozen=True)
class Recipe:
    """The hyperparameters of training with AdamW.

    patience: epochs without a better validation loss before training stops
    one_cycle: use a one-cycle learning rate schedule over `epochs`
    max_norm: clip gradients to this norm
    rows_per_epoch: train on at most this number of rows in an epoch, drawn at random
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    patience: int
    one_cycle: bool = False
    max_norm: float | None = None
    rows_per_epoch: int | None = None


def device(*, gpu: bool) -> torch.device:
    """Return the device to compute on; an UnavailableError if `gpu` is set and torch finds none."""
    if not gpu:
        return torch.device("cpu")
    if not torch.cuda.is_available():
        reason = "this torch was built without CUDA" if torch.version.cuda is None else "torch finds no CUDA device"
        hint = "Leave out --gpu to use the CPU; see `pozytywka doctor`."
        raise UnavailableError(f"cannot use a GPU: {reason}", hint)
    return torch.device("cuda")


def seeded(seed: int, build: Callable[[], M]) -> M:
    """Build a module whose initial weights depend only on `seed`; torch's global random state is not changed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def fit(
    model: nn.Module,
    loss: Loss,
    training: Tensors,
    validation: Tensors | None,
    recipe: Recipe,
    *,
    seed: int,
    device: torch.device,
) -> Iterator[Epoch]:
    """Train `model` in place and yield an `Epoch` after each pass.

    `loss(model, *batch)` is the mean loss of a batch; tensors share their first dimension. With `validation` the model
    ends with the weights of the best epoch (epoch 0, the untrained one, included), and training stops after `patience`
    epochs without a better one; without it, all epochs are run. The model ends on the CPU, in evaluation mode.

    Raises:
        RefusedError: a weight is not a finite number in the end.
    """
    model.to(device)
    training = tuple(tensor.to(device) for tensor in training)
    if validation is not None:
        validation = tuple(tensor.to(device) for tensor in validation)
    # one thread: small networks gain nothing from more, lose time on a busy machine, and get other last bits
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield from _epochs(model, loss, training, validation, recipe, seed=seed)
    finally:
        torch.set_num_threads(threads)
    model.to("cpu").eval()
    if not finite(model):
        hint = "Lower the learning rate with --set, or look for values out of scale: `pozytywka validate`."
        raise RefusedError("training diverged: the weights are not finite numbers", hint)


def finite(model: nn.Module) -> bool:
    """Return whether all weights are finite numbers."""
    return all(bool(weights.isfinite().all()) for weights in model.state_dict().values())


def load_weights(model: nn.Module, path: Path) -> None:
    """Load the weights of a model from a safetensors file.

    Raises:
        ValueError, RuntimeError or SafetensorError: the file holds something else than finite weights of this model.
    """
    from safetensors.torch import load_file

    weights, types = load_file(path), {name: tensor.dtype for name, tensor in model.state_dict().items()}
    if types != {name: tensor.dtype for name, tensor in weights.items()}:
        raise ValueError("its weights are not those of this model")
    model.load_state_dict(weights)
    if not finite(model):
        raise ValueError("some weights are not finite numbers")


def _epochs(
    model: nn.Module, loss: Loss, training: Tensors, validation: Tensors | None, recipe: Recipe, *, seed: int
) -> Iterator[Epoch]:
    generator = torch.Generator().manual_seed(seed)
    last = recipe.epochs
    rows = min(len(training[0]), recipe.rows_per_epoch or len(training[0]))
    batches = math.ceil(rows / recipe.batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = _one_cycle(optimizer, recipe, batches) if recipe.one_cycle else None
    best_loss, best_epoch, best_weights = math.inf, 0, copy.deepcopy(model.state_dict())
    if validation is not None:
        best_loss = mean_loss(model, loss, validation)
        yield Epoch(0, last, math.nan, best_loss, True, 0.0)
    for epoch in range(1, last + 1):
        started = time.perf_counter()
        order = torch.randperm(len(training[0]), generator=generator)[:rows].to(training[0].device)
        train_loss = _one_pass(model, loss, training, order, recipe, optimizer, schedule, seed=seed * 1000 + epoch)
        validation_loss = mean_loss(model, loss, validation) if validation is not None else math.nan
        better = validation is None or validation_loss < best_loss
        if better:
            best_loss, best_epoch, best_weights = validation_loss, epoch, copy.deepcopy(model.state_dict())
        yield Epoch(epoch, last, train_loss, validation_loss, better, time.perf_counter() - started)
        if validation is not None and epoch - best_epoch >= recipe.patience:
            break
    model.load_state_dict(best_weights)


def _one_cycle(optimizer: torch.optim.Optimizer, recipe: Recipe, batches: int) -> torch.optim.lr_scheduler.OneCycleLR:
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=recipe.learning_rate, epochs=max(recipe.epochs, 1), steps_per_epoch=batches
    )


def _one_pass(
    model: nn.Module,
    loss: Loss,
    training: Tensors,
    order: Tensor,
    recipe: Recipe,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.OneCycleLR | None,
    *,
    seed: int,
) -> float:
    """Train on the rows in `order` and return the mean loss; dropout depends only on `seed`."""
    model.train()
    total = torch.zeros((), device=order.device)
    with torch.random.fork_rng(devices=[order.device] if order.is_cuda else []):
        torch.manual_seed(seed)
        for rows in torch.split(order, recipe.batch_size):
            batch_loss = loss(model, *(tensor[rows] for tensor in training))
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(batch_loss)
            if recipe.max_norm is not None:
                nn.utils.clip_grad_norm_(model.parameters(), recipe.max_norm)
            optimizer.step()
            if schedule is not None:
                schedule.step()
            total += batch_loss.detach() * len(rows)
    return float(total) / len(order)


@torch.no_grad()
def mean_loss(model: nn.Module, loss: Loss, tensors: Tensors, *, rows: int = 65_536) -> float:
    """Return the mean loss over all rows, in evaluation mode and in blocks of `rows`."""
    model.eval()
    parts = zip(*(torch.split(tensor, rows) for tensor in tensors), strict=True)
    return sum(float(loss(model, *part)) * len(part[0]) for part in parts) / len(tensors[0])


@torch.inference_mode()
def forward(network: nn.Module, inputs: Tensors, *, double: bool = False) -> Tensor:
    """Return the outputs of a network for all rows, in evaluation mode, in padded blocks of one size.

    So a row's output does not depend on which other rows are in the batch. With `double` the pass is in double
    precision and its result rounded to single, for networks whose last bits depend on a row's place in the block too.
    """
    rows = len(inputs[0])
    network = (copy.deepcopy(network).double() if double else network).eval()
    padded = (nn.functional.pad(tensor, (0, 0, 0, -rows % BLOCK)) for tensor in inputs)
    blocks = zip(*(torch.split(tensor.double() if double else tensor, BLOCK) for tensor in padded), strict=True)
    outputs = torch.cat([network(*block) for block in blocks])[:rows]
    return outputs.float() if double else outputs


def epoch_records(epochs: Iterable[Epoch], **more: float) -> list[dict[str, float]]:
    """Return a record of each epoch for `metrics.json`: without its seconds, so that equal runs give equal bytes."""
    records = [(one.epoch, {"train_loss": one.train_loss, "validation_loss": one.validation_loss}) for one in epochs]
    return [
        {**more, "epoch": epoch} | {name: loss for name, loss in losses.items() if not math.isnan(loss)}
        for epoch, losses in records  # JSON has no NaN
    ]
