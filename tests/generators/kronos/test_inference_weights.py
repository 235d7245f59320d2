"""Rearranged weights: the same numbers as the networks that they were taken from."""

from __future__ import annotations

import pytest
import torch

from stresslab.generators.kronos import layers
from stresslab.generators.kronos.inference_weights import Block, Decoder, Linear, Norm, Transformer, scaled
from stresslab.generators.kronos.layers import RMSNorm
from stresslab.generators.kronos.sampler import TILE
from tests.generators.kronos.cases import tiny_networks


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [1, 7, TILE, 200])
def test_packed_weights_multiply_alike(dtype: torch.dtype, rows: int) -> None:
    """Layers put together, packed or not, give what each layer gives."""
    made = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        layers = [torch.nn.Linear(24, 40), torch.nn.Linear(24, 8)]
        x = torch.randn(rows, 24, generator=made)
        expected = torch.cat([layer(x) for layer in layers], dim=-1)
        found = Linear(layers, dtype)(x.to(dtype))
    assert found.dtype == dtype
    rounding = 1e-5 if dtype == torch.float32 else 3e-2
    torch.testing.assert_close(found.float(), expected, atol=rounding, rtol=rounding)


CLOSE = {"rtol": 1e-5, "atol": 1e-5}
TOKENS = torch.arange(2**4)


@torch.no_grad()
def test_tokens_are_looked_up_as_they_are_embedded() -> None:
    """Both networks' tables give, for every pair of tokens, what the layers give that they stand for."""
    model, tokenizer = tiny_networks()
    coarse, fine = (grid.flatten()[None] for grid in torch.meshgrid(TOKENS, TOKENS, indexing="ij"))
    found = Transformer(model, torch.float32).embed(coarse, fine)
    torch.testing.assert_close(found, model.embedding(coarse, fine), **CLOSE)
    decoded = Decoder(tokenizer).embed(coarse, fine)
    torch.testing.assert_close(decoded, tokenizer.post_quant_embed(tokenizer.codes(coarse, fine)), **CLOSE)


@torch.no_grad()
def test_the_parts_of_a_block_make_it_whole() -> None:
    """With attention written out between its two halves, a block is the block that it was taken from."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = layers.Block(12, 3, 20, feed_forward=0, attention=0, residual=0).eval()
        x = torch.randn(2, 5, 12)
    block = Block(plain, torch.float32)
    queries, keys, values = (part.transpose(1, 2) for part in block.ask(x).unbind(dim=2))  # (B, H, L, E)
    cos, sin = block.rotary.angles(5)
    scores = layers.rotate(queries, cos, sin) @ layers.rotate(keys, cos, sin).transpose(-1, -2)
    weights = scores.masked_fill(~torch.ones(5, 5).bool().tril(), -torch.inf).softmax(dim=-1)
    mixed = (weights @ values).transpose(1, 2).flatten(2)
    torch.testing.assert_close(block.finish(x, mixed), plain(x), **CLOSE)


@torch.no_grad()
def test_the_scale_is_in_the_queries() -> None:
    """Divided by the root of the head width, and the layer itself is left alone."""
    layer = torch.nn.Linear(8, 12)
    before = layer.weight.clone()
    x = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(scaled(layer, 3)(x), layer(x) / 2)
    assert torch.equal(layer.weight, before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.no_grad()
def test_a_norm_is_exact_before_it_is_rounded(dtype: torch.dtype) -> None:
    """It is the layer's in float32, in the type of the products that follow."""
    norm = RMSNorm(16)
    norm.weight.copy_(torch.linspace(-2, 2, 16))
    x = torch.randn(4, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(Norm(norm.weight, norm.eps, dtype)(x), norm(x).to(dtype))


@torch.no_grad()
def test_heads_stay_exact_where_the_rest_is_rounded() -> None:
    """In bfloat16 the products over hidden states are rounded, and the logits of both tokens are float32."""
    model, _ = tiny_networks()
    rounded = Transformer(model, torch.bfloat16)
    hidden = torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
    logits = rounded.coarse_head(hidden)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, model.head.proj_s1(hidden), **CLOSE)
    mixed = torch.zeros(3, 16, dtype=torch.bfloat16)
    assert rounded.fine_logits(hidden, TOKENS[:3], mixed).dtype == torch.float32
