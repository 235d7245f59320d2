"""Attention to a shared past and to each universe's own, in torch: what `kernels` does compiled, on any device.

Shapes: N universes, H heads, E head width, L shared positions, S own ones, B sequences, T positions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from stresslab.generators.kronos.layers import rotate


def turn(qkv: Tensor, cos: Tensor, sin: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Rotate and file away one position.

    Args:
        qkv: (N, 3, H, E) queries, keys and values.
        cos: (E,) cosines of the position's angles.
        sin: (E,) sines.
        keys: (H, N, E), written.
        values: (H, N, E), written.

    Returns:
        Rotated queries (H, N, E), float32.
    """
    query, key, value = qkv.permute(1, 2, 0, 3)
    keys.copy_(rotate(key.float(), cos, sin))
    values.copy_(value)
    return rotate(query.float(), cos, sin)


def attend(queries: Tensor, keys: Tensor, values: Tensor, shared: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Attend to the own positions, and weigh the shared ones over the same sum.

    Args:
        queries: (H, N, E) float32.
        keys: (S, H, N, E).
        values: (S, H, N, E).
        shared: (H, N, L) scores of the shared positions.

    Returns:
        Mixed own values (H, N, E), weights of the shared positions (H, N, L), neither divided yet, and one over the sum
        of all weights (H, N).
    """
    scores = (keys.permute(1, 2, 0, 3).float() @ queries.unsqueeze(-1)).squeeze(-1)  # (H, N, S)
    top = torch.cat([scores, shared.float()], dim=-1).amax(dim=-1, keepdim=True)
    own, weights = (scores - top).exp(), (shared.float() - top).exp()
    mixed = (own.unsqueeze(-2) @ values.permute(1, 2, 0, 3).float()).squeeze(-2)
    return mixed, weights.to(shared.dtype), 1.0 / (own.sum(dim=-1) + weights.sum(dim=-1))


def merge(own: Tensor, shared: Tensor, scale: Tensor) -> Tensor:
    """What both parts (H, N, E) mixed, divided (H, N), heads side by side: (N, H E), of the shared part's type."""
    return ((own + shared) * scale.unsqueeze(-1)).to(shared.dtype).transpose(0, 1).flatten(1)


def attend_all(queries: Tensor, keys: Tensor, values: Tensor, *, causal: bool) -> tuple[Tensor, Tensor]:
    """Soft-max attention of scaled queries (B, H, T, E), and the log of the sum that each was divided by (B, H, T).

    By the logs, attention to two sets of keys is put together: each counts as much as its sum.
    """
    if queries.device.type == "cpu":
        mixed, logs = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            queries, keys, values, is_causal=causal, scale=1.0
        )
        return mixed, logs
    scores = (queries @ keys.transpose(-1, -2)).float()
    if causal:
        seen = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        scores = scores.masked_fill(~seen, -torch.inf)
    logs = scores.logsumexp(dim=-1)
    return (scores - logs.unsqueeze(-1)).exp().to(values.dtype) @ values, logs
