"""The tokenizer: the official tokens and reconstructions, its bits and its codes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stresslab.generators.kronos.tokenizer import KronosTokenizer, Quantizer, TokenizerConfig, bits_to_ids, ids_to_bits
from tests.generators.kronos.cases import TINY_TOKENIZER, TOLERANCE, Case, tiny_networks


def test_tokens_are_exact(parity: Case) -> None:
    """Coarse, fine and joint tokens of the context are the official ones, every one of them."""
    tokenizer, x = parity.tokenizer, parity.tensor("x_normalised")
    coarse, fine = tokenizer.encode(x, half=True)
    np.testing.assert_array_equal(coarse[0], parity.golden["s1"])
    np.testing.assert_array_equal(fine[0], parity.golden["s2"])
    joint = tokenizer.encode(x)
    np.testing.assert_array_equal(joint[0], parity.golden["index"])
    np.testing.assert_array_equal(tokenizer(x)[3][0], parity.golden["index"])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(tokenizer.split(joint), (coarse, fine), strict=True))


def test_reconstructions_agree(parity: Case) -> None:
    """Decoded halves, decoded joint ids, both outputs of the forward pass and the quantizer's loss agree."""
    tokenizer, golden = parity.tokenizer, parity.golden
    halves = tokenizer.decode((parity.tensor("s1"), parity.tensor("s2")), half=True)
    np.testing.assert_allclose(halves[0], golden["reconstruction"], **TOLERANCE)
    np.testing.assert_allclose(tokenizer.decode(parity.tensor("index"))[0], golden["reconstruction"], **TOLERANCE)
    (coarse, full), loss, _, _ = tokenizer(parity.tensor("x_normalised"))
    np.testing.assert_allclose(coarse[0], golden["recon_coarse"], **TOLERANCE)
    np.testing.assert_allclose(full[0], golden["recon_full"], **TOLERANCE)
    np.testing.assert_allclose(loss, golden["bsq_loss"], **TOLERANCE)


def test_bits_by_hand() -> None:
    """The least significant bit comes first: 1, 0, 1, 1 is 13."""
    bits = torch.tensor([[True, False, True, True], [False, False, False, True]])
    assert bits_to_ids(bits).tolist() == [13, 8]
    assert torch.equal(ids_to_bits(torch.tensor([13, 8]), 4), bits)


@given(st.lists(st.integers(0, 2**20 - 1), min_size=1, max_size=8))
def test_ids_survive_their_bits(ids: list[int]) -> None:
    """Twenty bits hold every joint id of the published tokenizers, there and back."""
    assert bits_to_ids(ids_to_bits(torch.tensor(ids), 20)).tolist() == ids


def test_joint_ids_put_the_coarse_bits_first() -> None:
    """Decoding a joint id is decoding its two halves, for every id that there is."""
    _, tokenizer = tiny_networks()
    ids = torch.arange(2**8)[None]
    coarse, fine = tokenizer.split(ids)
    assert torch.equal(coarse + 2**4 * fine, ids)
    assert torch.equal(tokenizer.decode(ids), tokenizer.decode((coarse, fine), half=True))


def test_codes_lie_on_the_unit_sphere() -> None:
    """Each code has length 1 and entries of one size, negative where the bit is not set; no two ids share one."""
    _, tokenizer = tiny_networks()
    codes = tokenizer.codes(*tokenizer.split(torch.arange(2**8)))
    torch.testing.assert_close(codes.norm(dim=-1), torch.ones(2**8))
    torch.testing.assert_close(codes.abs(), torch.full((2**8, 8), 8**-0.5))
    assert len(codes.unique(dim=0)) == 2**8
    assert (codes[0] < 0).all()
    assert (codes[-1] > 0).all()


def test_the_quantizer_takes_the_nearest_corner() -> None:
    """Of all corners of the cube in the sphere, the code is the one at the smallest distance; its length is 1."""
    bits = TINY_TOKENIZER.s1_bits + TINY_TOKENIZER.s2_bits
    z = torch.randn(1, 50, bits, generator=torch.Generator().manual_seed(0))
    unit, code = Quantizer(TINY_TOKENIZER)(z)
    torch.testing.assert_close(unit, z / z.norm(dim=-1, keepdim=True))
    corners = (ids_to_bits(torch.arange(2**bits), bits) * 2.0 - 1.0) / bits**0.5
    nearest = corners[torch.cdist(unit[0], corners).argmin(dim=-1)]
    torch.testing.assert_close(code[0], nearest)


def test_gradients_pass_straight_through_the_quantizer() -> None:
    """As if the code were the unit vector over the root of the number of bits."""
    bits = TINY_TOKENIZER.s1_bits + TINY_TOKENIZER.s2_bits
    z = torch.randn(1, 3, bits, generator=torch.Generator().manual_seed(1), requires_grad=True)
    (through,) = torch.autograd.grad(Quantizer(TINY_TOKENIZER)(z)[1].square().sum() / 2, z)
    code = Quantizer(TINY_TOKENIZER)(z)[1].detach()
    (expected,) = torch.autograd.grad((torch.nn.functional.normalize(z, dim=-1) * code).sum() / bits**0.5, z)
    torch.testing.assert_close(through, expected)


def test_all_codes_used_and_each_decided_is_the_least_loss() -> None:
    """Vectors spread over all corners cost less than the same corner again and again (Zhao et al. 2024, eq. 10)."""
    config = TokenizerConfig(s1_bits=2, s2_bits=2, beta=0.0)
    quantizer = Quantizer(config)
    spread = (ids_to_bits(torch.arange(16), 4) * 2.0 - 1.0)[None] / 2
    alike = spread[:, :1].expand(-1, 16, -1)
    assert quantizer.loss(spread, spread) < quantizer.loss(alike, alike)
    assert quantizer.loss(spread, spread) == pytest.approx(
        config.zeta * float(decided() - config.gamma * 4 * torch.log(torch.tensor(2.0))), rel=1e-5
    )


def decided() -> torch.Tensor:
    """Entropy of four bits of a vector at a corner: each is set with the probability of a logit of 4 / 2 / 2."""
    one = torch.sigmoid(torch.tensor(1.0))
    return -4 * (one * one.log() + (1 - one) * (1 - one).log())


def test_a_token_does_not_see_later_bars() -> None:
    """Other bars at the end leave the tokens before them, and decoded, the features before them."""
    _, tokenizer = tiny_networks()
    x = torch.randn(1, 12, 5, generator=torch.Generator().manual_seed(2))
    other = x.clone()
    other[:, 8:] = -other[:, 8:]
    first, second = tokenizer.encode(x), tokenizer.encode(other)
    assert torch.equal(first[:, :8], second[:, :8])
    assert not torch.equal(first[:, 8:], second[:, 8:])
    torch.testing.assert_close(tokenizer.decode(first)[:, :8], tokenizer.decode(second)[:, :8])


def test_the_published_count_of_layers_includes_the_linear_one() -> None:
    """Two layers in the config are one block on each side."""
    tokenizer = KronosTokenizer(TINY_TOKENIZER)
    assert (len(tokenizer.encoder), len(tokenizer.decoder)) == (1, 1)
