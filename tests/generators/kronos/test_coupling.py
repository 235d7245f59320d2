"""A bar at a given quantile: the model's own law, whatever is believed, and a return that follows the quantile."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from stresslab.generators.kronos.coupling import Coupling, ReturnOrder

TOKENS = 12
GRID = 300


def dirichlet(rng: np.random.Generator, shape: tuple[int, ...], alpha: float = 0.5) -> Tensor:
    """Random probabilities."""
    return torch.from_numpy(rng.dirichlet(np.full(shape[-1], alpha), shape[:-1])).float()


def table(rng: np.random.Generator) -> ReturnOrder:
    """Returns of every pair of tokens, in which coarse and fine ones count alike."""
    returns = torch.from_numpy(rng.normal(size=(TOKENS, 1)) + rng.normal(size=(TOKENS, TOKENS))).float()
    return ReturnOrder(returns, returns.argsort(dim=1).to(torch.int16))


@pytest.mark.parametrize("belief", ["right", "wrong", "certain"])
@pytest.mark.parametrize("seed", range(3))
def test_pairs_keep_the_models_law(belief: str, seed: int) -> None:
    """Over uniform quantiles every pair of tokens is as likely as the model says, also where the belief is wrong."""
    rng = np.random.default_rng(seed)
    chances, fine = dirichlet(rng, (TOKENS,)), dirichlet(rng, (TOKENS, TOKENS))
    believed = {"right": fine, "wrong": dirichlet(rng, (TOKENS, TOKENS)), "certain": torch.eye(TOKENS)}[belief]
    order = table(rng)
    coupling = Coupling(order, dirichlet(rng, (TOKENS,)), believed)
    u, own = (part.ravel() for part in np.meshgrid((np.arange(GRID) + 0.5) / GRID, (np.arange(GRID) + 0.5) / GRID))
    u = torch.from_numpy((u + rng.uniform(-0.5, 0.5, u.shape) / GRID).clip(0, 1))
    coarse, left = coupling.coarse(chances.expand(len(u), -1), u, torch.from_numpy(own))
    picked = coupling.fine(fine[coarse], coarse, left)
    counts = torch.bincount(coarse * TOKENS + picked, minlength=TOKENS**2).reshape(TOKENS, TOKENS) / len(u)
    np.testing.assert_allclose(counts, chances[:, None] * fine, atol=4e-3)
    assert stats.kstest(left.numpy(), "uniform").statistic < 0.01


def test_returns_follow_the_quantile() -> None:
    """With the right belief the decoded return rises with the quantile; with a wrong one it does so less."""
    rng = np.random.default_rng(5)
    chances, fine, order = dirichlet(rng, (TOKENS,), 2.0), dirichlet(rng, (TOKENS, TOKENS), 2.0), table(rng)
    u, own = torch.from_numpy(rng.random(5000)), torch.from_numpy(rng.random(5000))
    followed = []
    for belief in (fine, torch.full((TOKENS, TOKENS), 1 / TOKENS), torch.eye(TOKENS)):
        coupling = Coupling(order, chances, belief)
        coarse, left = coupling.coarse(chances.expand(len(u), -1), u, own)
        returns = order.returns[coarse, coupling.fine(fine[coarse], coarse, left)]
        followed.append(stats.spearmanr(u.numpy(), returns.numpy()).statistic)
    assert followed[0] > 0.97
    assert followed[0] > followed[1] > followed[2]


def test_every_row_is_computed_by_itself() -> None:
    """A universe's tokens do not depend on the tiles that are computed with it."""
    rng = np.random.default_rng(2)
    chances, order = dirichlet(rng, (192, TOKENS)), table(rng)
    coupling = Coupling(order, chances[0], dirichlet(rng, (TOKENS, TOKENS)))
    u, own = torch.from_numpy(rng.random(192)), torch.from_numpy(rng.random(192))
    whole = coupling.coarse(chances, u, own)
    for start in range(0, 192, 64):
        rows = slice(start, start + 64)
        for one, other in zip(coupling.coarse(chances[rows], u[rows], own[rows]), whole, strict=True):
            assert torch.equal(one, other[rows])


def test_pairs_are_ordered_once_for_all_histories() -> None:
    """The order is the table's, whatever a history believes; each one sorts nothing of its own."""
    rng = np.random.default_rng(6)
    order = table(rng)
    values = order.returns.flatten()[order.ascending]
    assert (values.diff() >= 0).all()
    for _ in range(2):
        Coupling(order, dirichlet(rng, (TOKENS,)), dirichlet(rng, (TOKENS, TOKENS)))
    assert order.ascending is order.ascending
