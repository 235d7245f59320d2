"""The building blocks that both networks of Kronos share, with the tensor names of the published checkpoints.

Shapes: B sequences, L positions, D model width, H heads. `tokenizer` and `transformer` assemble
the blocks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

ROTARY_BASE = 10_000.0


class RMSNorm(nn.Module):
    """Root-mean-square normalisation (Zhang & Sennrich 2019), computed in float32 whatever the input's type."""

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis."""
        exact = x.float()
        scale = torch.rsqrt(exact.square().mean(dim=-1, keepdim=True) + self.eps)
        return (exact * scale).type_as(x) * self.weight


class FeedForward(nn.Module):
    """Gated feed-forward network without biases, SwiGLU (Shazeer 2020, eq. 6)."""

    def __init__(self, width: int, inner: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.w1 = nn.Linear(width, inner, bias=False)
        self.w3 = nn.Linear(width, inner, bias=False)
        self.w2 = nn.Linear(inner, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, D) to (B, L, D)."""
        return self.dropout(self.w2(functional.silu(self.w1(x)) * self.w3(x)))


class Rotary(nn.Module):
    """Rotary position embedding (Su et al. 2021) in the half-split form: position i turns (x_j, x_{j + head/2})."""

    inv_freq: Tensor

    def __init__(self, head_width: int) -> None:
        super().__init__()
        exponents = (
            torch.arange(0, head_width, 2, device="cpu").float() / head_width
        )  # also where others are mere shapes
        self.register_buffer("inv_freq", 1.0 / ROTARY_BASE**exponents)  # persisted by the published checkpoints

    def angles(self, length: int, first: int = 0) -> tuple[Tensor, Tensor]:
        """Cosines and sines (length, head/2 twice) of the positions from `first` on."""
        positions = torch.arange(first, first + length, device=self.inv_freq.device).type_as(self.inv_freq)
        half = torch.outer(positions, self.inv_freq)
        both = torch.cat([half, half], dim=-1)
        return both.cos(), both.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the last axis of x by the angles given as cosines and sines that broadcast against it."""
    front, back = x.chunk(2, dim=-1)
    return (x * cos + torch.cat([-back, front], dim=-1) * sin).type_as(x)


class Attention(nn.Module):
    """Causal multi-head attention; queries come from one sequence, keys and values from another or the same."""

    def __init__(self, width: int, heads: int, attention_dropout: float = 0.0, residual_dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)
        self.rotary = Rotary(width // heads)
        self.attention_dropout = attention_dropout
        self.residual_dropout = nn.Dropout(residual_dropout)

    def split(self, x: Tensor) -> Tensor:
        """(B, L, D) to (B, H, L, D/H)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, queries: Tensor, keys: Tensor | None = None, *, rotated: bool = True) -> Tensor:
        """Position i of the queries attends to the positions up to i of the keys.

        Args:
            queries: (B, L, D) sequence that asks.
            keys: (B, L, D) sequence that answers; the queries themselves when None.
            rotated: whether rotary positions are applied.

        Returns:
            (B, L, D).
        """
        source = queries if keys is None else keys
        q, k, v = self.split(self.q_proj(queries)), self.split(self.k_proj(source)), self.split(self.v_proj(source))
        if rotated:
            cos, sin = self.rotary.angles(q.shape[-2])
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        dropout = self.attention_dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        return self.residual_dropout(self.out_proj(mixed.transpose(1, 2).flatten(2)))


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(
        self, width: int, heads: int, inner: int, *, feed_forward: float, attention: float, residual: float
    ) -> None:
        """Build a block of the given sizes; the keyword arguments are dropout probabilities."""
        super().__init__()
        self.norm1 = RMSNorm(width)
        self.self_attn = Attention(width, heads, attention, residual)
        self.norm2 = RMSNorm(width)
        self.ffn = FeedForward(width, inner, feed_forward)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, D) to (B, L, D)."""
        x = x + self.self_attn(self.norm1(x))
        return x + self.ffn(self.norm2(x))
