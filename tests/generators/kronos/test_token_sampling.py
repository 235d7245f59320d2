"""Draws against the distribution that they are to have."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from stresslab.generators.kronos.token_sampling import ATTEMPTS, TokenSampling, descending, invert

EDGE = 2.0**-33  # the outermost uniforms that `stresslab.core.randomness` makes


def always(u: torch.Tensor) -> Callable[[int], torch.Tensor]:
    """The same uniforms at the first attempt; there is to be no other."""

    def uniform(attempt: int) -> torch.Tensor:
        assert attempt == 0
        return u

    return uniform


def fresh(seed: int, count: int) -> Callable[[int], torch.Tensor]:
    """Uniforms of each attempt from a generator of its own."""
    return lambda attempt: torch.from_numpy(np.random.default_rng([seed, attempt]).uniform(size=count))


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(2, 40),
    temperature=st.floats(0.2, 3.0),
    top_k=st.integers(0, 40),
    top_p=st.floats(0.05, 1.0),
)
def test_inversion_follows_the_distribution(seed: int, size: int, temperature: float, top_k: int, top_p: float) -> None:
    """On a grid of n uniforms every token comes up n times its probability, give or take one, in rising order."""
    logits = torch.from_numpy(np.random.default_rng(seed).normal(scale=2.0, size=(1, size)).astype(np.float32))
    choice, count = TokenSampling(temperature, top_k, top_p), 1000
    u = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    expected = choice.probabilities(logits)
    drawn = invert(expected.expand(count, -1), u)
    assert (drawn.diff() >= 0).all()
    assert (torch.bincount(drawn, minlength=size) - count * expected[0]).abs().max() <= 1.001
    if top_k > 0 or top_p == 1.0:
        assert torch.equal(choice.draw(logits.expand(count, -1), always(u)), drawn)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 1024), top_k=st.integers(1, 5))
def test_impossible_tokens_are_never_drawn(seed: int, size: int, top_k: int) -> None:
    """A token of zero probability is not drawn, not even by the outermost uniforms, nor when it is first or last."""
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(scale=5.0, size=(1, size)).astype(np.float32))
    logits[0, [0, -1]] = -torch.inf if size > 2 else 0.0
    u = torch.tensor([EDGE, 1 - EDGE, 0.5, *rng.uniform(size=20)], dtype=torch.float64)
    for choice in (
        TokenSampling(),
        TokenSampling(top_k=top_k),
        TokenSampling(top_p=0.3),
        TokenSampling(temperature=0.01),
    ):
        drawn = choice.draw(logits.expand(len(u), -1), lambda attempt: u.roll(attempt))
        assert (choice.probabilities(logits)[0, drawn] > 0).all()


def test_the_likeliest_token_is_always_kept() -> None:
    """The smallest nucleus holds one token, the likeliest; it is also what top_k=1 leaves."""
    logits = torch.randn(50, 64, generator=torch.Generator().manual_seed(0))
    for choice in (TokenSampling(top_k=1), TokenSampling(top_p=1e-9)):
        probabilities = choice.probabilities(logits)
        assert torch.equal(probabilities.argmax(dim=-1), logits.argmax(dim=-1))
        assert ((probabilities > 0).sum(dim=-1) == 1).all()
        assert torch.equal(choice.draw(logits, fresh(0, 50)), logits.argmax(dim=-1))


def test_a_draw_in_the_nucleus_stands() -> None:
    """A universe whose first draw lies in the nucleus has the token that it has without one; the others do not."""
    logits = torch.randn(1, 64, generator=torch.Generator().manual_seed(1)).expand(2000, -1)
    whole, cut = (TokenSampling(top_p=p).draw(logits, fresh(2, 2000)) for p in (1.0, 0.7))
    inside = TokenSampling(top_p=0.7).probabilities(logits)[0, whole] > 0
    assert torch.equal(cut[inside], whole[inside])
    assert 0.65 < inside.double().mean() < 0.8
    assert (cut[~inside] != whole[~inside]).all()


@pytest.mark.slow
@pytest.mark.parametrize("top_p", [0.05, 0.3, 0.9, 0.99])
def test_a_nucleus_has_its_distribution(top_p: float) -> None:
    """A million draws without a sort are distributed as the sorted-out nucleus, whether few or most are drawn again."""
    count, size = 1_000_000, 64
    logits = torch.randn(1, size, generator=torch.Generator().manual_seed(3)) / 2
    expected = TokenSampling(top_p=top_p).probabilities(logits)[0].double()
    counts = torch.zeros(size)
    for part in range(10):
        drawn = TokenSampling(top_p=top_p).draw(logits.expand(count // 10, -1), fresh(part, count // 10))
        counts += torch.bincount(drawn, minlength=size)
    kept = expected > 0
    assert counts[~kept].sum() == 0
    assert kept.sum() > 1
    exact = expected[kept] / expected[kept].sum() * count
    assert chisquare(counts[kept].double().numpy(), exact.numpy()).pvalue > 1e-4


def test_attempts_are_few() -> None:
    """However small the nucleus, no more attempts are made than said, and only by those still outside."""
    logits, asked = torch.randn(500, 64, generator=torch.Generator().manual_seed(4)), []

    def uniform(attempt: int) -> torch.Tensor:
        asked.append(attempt)
        return fresh(5, 500)(attempt)

    drawn = TokenSampling(top_p=0.02).draw(logits, uniform)
    assert asked == list(range(ATTEMPTS))
    assert (TokenSampling(top_p=0.02).probabilities(logits).gather(1, drawn[:, None]) > 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_rows_descend_as_torch_sorts_them(dtype: torch.dtype) -> None:
    """Bit by bit, so that a nucleus is what it was; also with equal numbers and impossible tokens."""
    rows = torch.from_numpy(np.random.default_rng(1).normal(size=(64, 300))).to(dtype)
    rows[:, 50:60], rows[:5, :20] = 0.5, -torch.inf
    assert torch.equal(descending(rows), rows.sort(dim=-1, descending=True).values)
    assert torch.equal(descending(rows[:, ::2]), rows[:, ::2].sort(dim=-1, descending=True).values)
