"""The weights of both networks rearranged for sampling: the same numbers in fewer and larger products, and in tables.

Queries, keys and values come from one product, and so do the two gates of the feed-forward network; what depends on a
token or a time stamp alone is looked up. Which positions are computed, and what is drawn, is not known here. Shapes: N
rows, D model width, H heads, E head width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from stresslab.generators.kronos import layers
from stresslab.generators.kronos.tokenizer import KronosTokenizer
from stresslab.generators.kronos.transformer import KronosTransformer

ROWS = 64
"""Rows that packed weights are laid out for; others work too."""


class Linear:
    """y = x W' + b; on a CPU with W packed for oneDNN, twice as fast as `torch.mm` where MKL does not know the CPU."""

    def __init__(self, parts: Sequence[nn.Linear], dtype: torch.dtype) -> None:
        """Take one or several linear layers that read the same input; outputs are concatenated."""
        weight = torch.cat([part.weight.detach() for part in parts]).to(dtype)
        biases = [part.bias.detach() for part in parts if part.bias is not None]
        self.bias = torch.cat(biases).to(dtype) if biases else None
        self.packed = packable(weight)
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS) if self.packed else weight

    def __call__(self, x: Tensor) -> Tensor:
        """Rows (..., in) to (..., out), of the weights' type."""
        if self.packed:
            made: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")
            return made
        return functional.linear(x, self.weight, self.bias)


def packable(weight: Tensor) -> bool:
    """Whether this torch can multiply by packed weights of this kind."""
    return (
        weight.device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and weight.dtype in (torch.float32, torch.bfloat16)
    )


@dataclass(frozen=True)
class Norm:
    """Root-mean-square normalisation in float32, handed on in the type of the products that follow."""

    gain: Tensor
    eps: float
    dtype: torch.dtype

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise the last axis of float32 rows."""
        return functional.rms_norm(x, self.gain.shape, self.gain, self.eps).to(self.dtype)


class Block:
    """A pre-norm transformer block in three parts: what attention asks, its output, and the feed-forward network."""

    def __init__(self, block: layers.Block, dtype: torch.dtype) -> None:
        attention, network = block.self_attn, block.ffn
        self.heads, self.dtype = attention.heads, dtype
        self.norm1, self.norm2 = folded_norm(block.norm1, dtype), folded_norm(block.norm2, dtype)
        self.like = torch.empty(0, dtype=dtype, device=block.norm1.weight.device)
        self.rotary, self.width = attention.rotary, attention.q_proj.weight.shape[0] // attention.heads
        self.qkv = Linear([scaled(attention.q_proj, self.heads), attention.k_proj, attention.v_proj], dtype)
        self.out = Linear([attention.out_proj], dtype)
        self.gates = Linear([network.w1, network.w3], dtype)
        self.down = Linear([network.w2], dtype)

    def ask(self, x: Tensor) -> Tensor:
        """Queries, keys and values (..., 3, H, E) of x (..., D), not yet rotated."""
        return self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1))

    def finish(self, x: Tensor, mixed: Tensor) -> Tensor:
        """The block's output (N, T, D) from its input and what attention mixed (N, T, D)."""
        x = x + self.out(mixed)
        first, second = self.gates(self.norm2(x)).chunk(2, dim=-1)
        return x + self.down(functional.silu(first) * second)


class Transformer:
    """The transformer in tables and products."""

    def __init__(self, model: KronosTransformer, dtype: torch.dtype) -> None:
        """Fold the weights of a model in eval mode; the model itself is left as it is."""
        self.dtype, self.device = dtype, model.head.proj_s1.weight.device
        embedding, layer = model.embedding, model.dep_layer
        attention = layer.cross_attn
        with torch.inference_mode():
            of_coarse, of_fine = embedding.fusion_proj.weight.chunk(2, dim=1)
            self.coarse = embedding.scale * embedding.emb_s1.weight @ of_coarse.T + embedding.fusion_proj.bias  # (V, D)
            self.fine = embedding.scale * embedding.emb_s2.weight @ of_fine.T  # (V, D)
            self.stamps = model.time_emb
            self.blocks = [Block(block, dtype) for block in cast(list[layers.Block], list(model.transformer))]
            self.norm = folded_norm(model.norm, torch.float32)
            exact = torch.float32  # a logit rounded to bfloat16 would itself change the distribution by percents
            self.coarse_head, self.fine_head = Linear([model.head.proj_s1], exact), Linear([model.head.proj_s2], exact)
            self.heads = attention.heads
            asked = scaled(attention.q_proj, self.heads)(embedding.emb_s1.weight)
            self.queries = asked.unflatten(-1, (self.heads, -1)).transpose(0, 1).to(dtype)  # (H, V, E)
            self.memorised = Linear([attention.k_proj, attention.v_proj], dtype)
            self.attended = Linear([attention.out_proj], dtype)
            self.direct = layer.scale * embedding.emb_s1.weight if layer.residual else None  # (V, D)
            self.conditioned = folded_norm(layer.norm, exact)

    def embed(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Tokens (...) to (..., D), still without their time stamps."""
        return functional.embedding(coarse, self.coarse) + functional.embedding(fine, self.fine)

    def remember(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (T, H, N, E) of hidden states (N, T, D), which the dependency layer never rotates here."""
        keys, values = self.memorised(hidden.to(self.dtype)).unflatten(-1, (2, self.heads, -1)).permute(2, 1, 3, 0, 4)
        return keys, values

    def fine_logits(self, hidden: Tensor, coarse: Tensor, mixed: Tensor) -> Tensor:
        """Fine logits (N, V) of hidden states (N, D), coarse tokens (N,) and what their queries mixed (N, D)."""
        if self.direct is not None:
            hidden = hidden + functional.embedding(coarse, self.direct)
        return self.fine_head(self.conditioned(hidden + self.attended(mixed)))


class Decoder:
    """The tokenizer's decoder; always float32, for it costs little and prices are read off it."""

    def __init__(self, tokenizer: KronosTokenizer) -> None:
        """Fold the weights of a tokenizer in eval mode; the tokenizer itself is left as it is."""
        with torch.inference_mode():
            self.blocks = [Block(block, torch.float32) for block in cast(list[layers.Block], list(tokenizer.decoder))]
            self.head = Linear([tokenizer.head], torch.float32)
            coarse = torch.arange(2**tokenizer.s1_bits, device=tokenizer.head.weight.device)
            fine = torch.arange(2**tokenizer.s2_bits, device=coarse.device)
            embed = tokenizer.post_quant_embed
            of_coarse = tokenizer.codes(coarse, torch.zeros_like(coarse))[:, : tokenizer.s1_bits]
            of_fine = tokenizer.codes(torch.zeros_like(fine), fine)[:, tokenizer.s1_bits :]
            self.coarse = of_coarse @ embed.weight[:, : tokenizer.s1_bits].T + embed.bias  # (V, D)
            self.fine = of_fine @ embed.weight[:, tokenizer.s1_bits :].T  # (V, D)

    def embed(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Tokens (...) to (..., D)."""
        return functional.embedding(coarse, self.coarse) + functional.embedding(fine, self.fine)


def folded_norm(norm: layers.RMSNorm, dtype: torch.dtype) -> Norm:
    """A norm whose output is of that type."""
    return Norm(norm.weight.detach(), norm.eps, dtype)


def scaled(layer: nn.Linear, heads: int) -> nn.Linear:
    """A layer of queries divided by the root of the head width, as soft-max attention wants."""
    factor = (layer.out_features // heads) ** -0.5
    return _linear(layer.weight * factor, layer.bias * factor)


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    layer.weight, layer.bias = nn.Parameter(weight, requires_grad=False), nn.Parameter(bias, requires_grad=False)
    return layer
