"""What others would write for the same models: LightGBM, and a torch loop without anything around it."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, logit
from torch import Tensor, nn
from torch.nn import functional as F

from pozytywka_cli.families.skip.splits import Split
from pozytywka_cli.learning import Recipe


def lightgbm(
    features: NDArray[np.float32], skipped: NDArray[np.bool_], split: Split, *, seed: int
) -> NDArray[np.float64]:
    """The probability of each test play's skip by the mean score of three models, stopped on validation plays.

    By user, each model validates on another sixth of the training users.
    """
    from lightgbm import LGBMClassifier, early_stopping

    scores = []
    for number in range(3 * seed, 3 * seed + 3):
        trees = LGBMClassifier(
            n_estimators=3000,
            learning_rate=0.03,
            num_leaves=15,
            min_child_samples=50,
            subsample=0.8,
            subsample_freq=1,
            colsample_bytree=0.8,
            reg_lambda=5.0,
            random_state=number,
            n_jobs=1,  # two threads on a busy machine wait for each other
            verbosity=-1,
        )
        trees.fit(
            features[split.fitting(number)],
            skipped[split.fitting(number)],
            eval_X=features[split.validation(number)],
            eval_y=skipped[split.validation(number)],
            callbacks=[early_stopping(100, verbose=False)],
        )
        scores.append(trees.predict(features[split.test], raw_score=True))
    return np.asarray(expit(np.mean(scores, axis=0)))


def bare_epoch(
    network: nn.Module, skip_rate: float, fitting: tuple[Tensor, ...], validation: tuple[Tensor, ...], recipe: Recipe
) -> float:
    """One epoch of AdamW and one-cycle over the rows of (features, skipped), and the validation loss after it."""
    features, skipped = fitting
    offset = logit(skip_rate)
    batches = -(-len(features) // recipe.batch_size)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=recipe.learning_rate, epochs=recipe.epochs, steps_per_epoch=batches
    )
    network.train()
    for rows in torch.split(torch.randperm(len(features)), recipe.batch_size):
        loss = F.binary_cross_entropy_with_logits(network(features[rows]) + offset, skipped[rows])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
    network.eval()
    with torch.no_grad():
        return float(F.binary_cross_entropy_with_logits(network(validation[0]) + offset, validation[1]))
