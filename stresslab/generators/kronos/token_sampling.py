"""How a token is drawn from its logits: temperature, top-k, nucleus, and the inverse of what distribution they leave.

Callers supply the uniforms. Shapes: N universes, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

ATTEMPTS = 8
"""Draws of a token from a nucleus, at most: the last one sorts and so always lies in it."""

Uniform = Callable[[int], Tensor]
"""Uniforms (N,) of the k-th attempt at a token."""


@dataclass(frozen=True)
class TokenSampling:
    """How a token is drawn from its logits.

    Attributes:
        temperature: divides the logits.
        top_k: keep this many likeliest tokens; 0 keeps all, and above 0 `top_p` is not applied, as published.
        top_p: keep the likeliest tokens up to the one with which their mass exceeds this (Holtzman et al. 2020), and
            those as likely as it.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def probabilities(self, logits: Tensor) -> Tensor:
        """Probabilities (N, V) after temperature, top-k and top-p of logits (N, V)."""
        scaled = logits / self.temperature
        if self.top_k > 0:
            least = scaled.topk(min(self.top_k, scaled.shape[-1]), dim=-1).values[:, -1:]
            scaled = scaled.masked_fill(scaled < least, -torch.inf)
        elif self.top_p < 1.0:
            ordered = descending(scaled)
            beyond = ordered.softmax(dim=-1).cumsum(dim=-1) > self.top_p
            beyond = torch.cat([torch.zeros_like(beyond[:, :1]), beyond[:, :-1]], dim=-1)  # the crossing one is kept
            least = ordered.masked_fill(beyond, torch.inf).amin(dim=-1, keepdim=True)
            scaled = scaled.masked_fill(scaled < least, -torch.inf)
        return scaled.softmax(dim=-1)

    def draw(self, logits: Tensor, uniform: Uniform) -> Tensor:
        """Tokens (N,) of logits (N, V), by inverting the distribution function at the first uniforms.

        A nucleus is not sorted out: a token is drawn from the whole distribution, kept when the tokens likelier than it
        weigh at most `top_p`, and else drawn again, which is to draw from the nucleus (von Neumann 1951). After
        `ATTEMPTS` - 1 vain draws the nucleus itself is inverted.
        """
        if self.top_k > 0 or self.top_p == 1.0:
            return invert(self.probabilities(logits), uniform(0))
        chances = (logits / self.temperature).softmax(dim=-1)
        tokens = invert(chances, uniform(0))
        outside = torch.arange(len(logits), device=logits.device)
        for attempt in range(1, ATTEMPTS):
            of_token = chances[outside].gather(-1, tokens[outside].unsqueeze(-1))
            likelier = chances[outside]
            above = torch.where(likelier > of_token, likelier, 0.0).sum(dim=-1)
            outside = outside[above > self.top_p]
            if len(outside) == 0:
                break
            again = chances[outside] if attempt < ATTEMPTS - 1 else self.probabilities(logits[outside])
            tokens[outside] = invert(again, uniform(attempt)[outside])
        return tokens


def descending(rows: Tensor) -> Tensor:
    """Each row of (N, V), the largest first; numpy sorts 30 times as fast as torch, which sorts positions too."""
    if rows.device.type != "cpu" or rows.dtype != torch.float32:
        return rows.sort(dim=-1, descending=True).values
    return torch.from_numpy(np.sort(rows.numpy(), axis=-1)).flip(-1)


def invert(chances: Tensor, u: Tensor) -> Tensor:
    """Tokens (N,) by inverting the distribution function of probabilities (N, V) at uniforms u (N,)."""
    mass = chances.cumsum(dim=-1, dtype=torch.float64)
    tokens = torch.searchsorted(mass, (u * mass[:, -1]).unsqueeze(-1), right=True)
    return tokens.squeeze(-1).clamp_max(chances.shape[-1] - 1)
