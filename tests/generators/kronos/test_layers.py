"""The building blocks against their formulas, written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.generators.kronos.layers import Attention, Block, FeedForward, RMSNorm, Rotary, rotate


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    """Random numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def seeded(module: torch.nn.Module, seed: int = 1) -> torch.nn.Module:
    """The module in eval mode with random weights of its own."""
    made = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(0.5 * torch.randn(weight.shape, generator=made))
    return module.eval()


@torch.no_grad()
def test_norm_by_hand() -> None:
    """(3, 4) has the root mean square sqrt(12.5); each entry is divided by it and multiplied by its own gain."""
    norm = RMSNorm(2, eps=0.0)
    norm.weight.copy_(torch.tensor([1.0, 2.0]))
    torch.testing.assert_close(norm(torch.tensor([3.0, 4.0])), torch.tensor([3.0, 8.0]) / 12.5**0.5)


@torch.no_grad()
def test_norm_is_exact_in_half_precision() -> None:
    """Squares that bfloat16 cannot hold are summed in float32, and the result has the type that came in."""
    x = (1 + 1e-2 * normal(4, 4096)).to(torch.bfloat16)
    found = RMSNorm(4096).to(torch.bfloat16)(x)
    exact = x.double() / (x.double().square().mean(dim=-1, keepdim=True) + 1e-5).sqrt()
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), exact, rtol=2**-8, atol=0)


@torch.no_grad()
def test_feed_forward_is_gated() -> None:
    """W2 (silu(W1 x) * W3 x), without biases (Shazeer 2020, eq. 6)."""
    network = seeded(FeedForward(6, 10))
    x = normal(2, 3, 6).numpy()
    w1, w2, w3 = (layer.weight.numpy() for layer in (network.w1, network.w2, network.w3))
    gate = x @ w1.T
    expected = (gate / (1 + np.exp(-gate)) * (x @ w3.T)) @ w2.T
    np.testing.assert_allclose(network(torch.from_numpy(x)).numpy(), expected, rtol=1e-4, atol=1e-5)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 2**16))
def test_scores_depend_on_the_distance_alone(first: int, second: int, shift: int, seed: int) -> None:
    """The product of a rotated query and key is the same wherever both stand (Su et al. 2021, eq. 16)."""
    rotary, (query, key) = Rotary(8), normal(2, 8, seed=seed).double()

    def score(at: int, other: int) -> float:
        (cos, sin), (others_cos, others_sin) = rotary.angles(1, at), rotary.angles(1, other)
        return float(rotate(query, cos[0].double(), sin[0].double()) @ rotate(key, others_cos[0], others_sin[0]))

    assert score(first + shift, second + shift) == pytest.approx(score(first, second), abs=1e-3)


def test_rotation_by_hand() -> None:
    """Position 2 turns the pair (x_0, x_2) by 2 and (x_1, x_3) by 2 / 100; position 0 turns nothing."""
    rotary, x = Rotary(4), torch.tensor([1.0, 2.0, 3.0, 4.0])
    cos, sin = rotary.angles(3)
    torch.testing.assert_close(rotate(x, cos[0], sin[0]), x)
    expected = [
        1 * np.cos(2) - 3 * np.sin(2), 2 * np.cos(0.02) - 4 * np.sin(0.02),
        3 * np.cos(2) + 1 * np.sin(2), 4 * np.cos(0.02) + 2 * np.sin(0.02),
    ]  # fmt: skip
    np.testing.assert_allclose(rotate(x, cos[2], sin[2]).numpy(), expected, rtol=1e-5)


def test_angles_go_on_where_others_end() -> None:
    """Those of positions 5 to 8 are the last of those of 0 to 8."""
    rotary = Rotary(6)
    for whole, part in zip(rotary.angles(9), rotary.angles(4, first=5), strict=True):
        assert torch.equal(whole[5:], part)


@pytest.mark.parametrize("rotated", [True, False])
@torch.no_grad()
def test_attention_is_a_soft_max_over_the_past(rotated: bool) -> None:
    """Head by head: each position mixes values up to its own, weighed by exp(q k / sqrt(width))."""
    layer = seeded(Attention(12, 3))
    asking, answering = normal(2, 5, 12), normal(2, 5, 12, seed=2)
    q, k, v = layer.q_proj(asking), layer.k_proj(answering), layer.v_proj(answering)
    cos, sin = layer.rotary.angles(5)
    mixed = torch.zeros(2, 5, 12)
    for row in range(2):
        for head in range(3):
            part = slice(4 * head, 4 * head + 4)
            queries, keys = q[row, :, part], k[row, :, part]
            if rotated:
                queries, keys = rotate(queries, cos, sin), rotate(keys, cos, sin)
            for now in range(5):
                weights = torch.softmax(keys[: now + 1] @ queries[now] / 2, dim=0)
                mixed[row, now, part] = weights @ v[row, : now + 1, part]
    torch.testing.assert_close(layer(asking, answering, rotated=rotated), layer.out_proj(mixed), rtol=1e-4, atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 7), st.integers(0, 2**16))
@torch.no_grad()
def test_a_block_sees_no_later_position(first: int, seed: int) -> None:
    """Whatever changes from a position on, outputs before it stay; its own and later ones change."""
    block = seeded(Block(8, 2, 16, feed_forward=0.0, attention=0.0, residual=0.0))
    x = normal(1, 8, 8, seed=seed)
    other = x.clone()
    other[:, first:] += 1.0
    found, changed = block(x), block(other)
    torch.testing.assert_close(found[:, :first], changed[:, :first])
    assert ((found - changed)[:, first:].abs().amax(dim=-1) > 1e-4).all()


def test_dropout_is_for_training_alone() -> None:
    """In eval mode a block is the same every time; in train mode its dropout is not."""
    block = seeded(Block(8, 2, 16, feed_forward=0.5, attention=0.5, residual=0.5))
    x = normal(1, 6, 8)
    assert torch.equal(block(x), block(x))
    block.train()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        assert not torch.equal(block(x), block(x))
