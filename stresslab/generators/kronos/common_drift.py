"""The drift that a model gives to all universes of a history alike, from universes that are kept for nothing else.

Every universe is settled against the same reference, so universes are independent given the history. The reference has
numbers of its own, the same for every seed: a run repeated with another seed then differs by chance alone. What a
random token added to the expectation of its bar is taken out first (control variates; Glasserman 2004, section 4.1),
so that the mean over few reference universes is close to the model's own. Shapes: R reference universes, H bars of
horizon, V vocabulary, B bits of a token, P numbers that describe a token.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from stresslab.core.arrays import FloatArray
from stresslab.core.randomness import Stream
from stresslab.generators.kronos.return_features import GAP, RETURN, Returns, ReturnsState
from stresslab.generators.kronos.sampler import TILE, Draws, Sampler

REFERENCES = TILE
"""Reference universes: what is left of chance moves the mean path by about 3% of the universes' spread."""
SEED = 0
"""Of the reference's uniforms, whatever the run's: the drift is the model's own."""
RIDGE = 1e-3
"""Penalty of the regression, as a share of the observations: few bars cannot separate all parts of a token."""


class Surprises:
    """Records, bar by bar, how the tokens that were drawn differ from what was expected of them."""

    def __init__(self, bits: int, device: torch.device) -> None:
        """Describe the 2^bits tokens by their bits and the products of pairs of bits: (V, P)."""
        signs = ((torch.arange(2**bits, device=device)[:, None] >> torch.arange(bits, device=device)) & 1) * 2.0 - 1.0
        products = [signs[:, first] * signs[:, second] for first, second in combinations(range(bits), 2)]
        self.described = torch.stack([*signs.T, *products], dim=1)
        self.drawn: list[Tensor] = []
        self.expected: list[Tensor] = []

    def __call__(self, tokens: Tensor, chances: Tensor) -> None:
        """Tokens (R,) drawn from chances (R, V): of a coarse token, then of its fine one, bar by bar."""
        self.drawn.append(self.described[tokens])
        self.expected.append(chances @ self.described)

    def of(self, values: FloatArray) -> FloatArray:
        """The part of values (R, H, 2) that chance decided, as far as the bits show: of mean 0 whatever they are."""
        surprises = self._joined(self.drawn) - self._joined(self.expected)  # (R, H, 2 P)
        known, target = surprises.reshape(-1, surprises.shape[-1]), values.reshape(-1, 2) - values.mean(axis=(0, 1))
        penalty = RIDGE * len(known) * np.eye(known.shape[1])
        return np.asarray(surprises @ np.linalg.solve(known.T @ known + penalty, known.T @ target))

    @staticmethod
    def _joined(numbers: list[Tensor]) -> FloatArray:
        """Coarse and fine descriptions side by side, (R, H, 2 P)."""
        bars = [torch.cat(numbers[place : place + 2], dim=1) for place in range(0, len(numbers), 2)]
        return torch.stack(bars, dim=1).cpu().numpy().astype(np.float64)


def common_drift(
    sampler: Sampler, returns: Returns, state: ReturnsState, between_bars: Callable[[], None] = lambda: None
) -> FloatArray | None:
    """The common drift (H, 2) of gap and return of a history, in units of volatility; None where all of it is kept.

    Args:
        sampler: of the history.
        returns: the checkpoint's representation.
        state: of the representation at the origin.
        between_bars: called after each bar but the last; what it raises ends the sampling.
    """
    if returns.own_drift == 1.0:
        return None
    networks = sampler.networks
    surprises = Surprises(networks.tokenizer.s1_bits, networks.device)
    drawn = Draws(SEED, np.arange(REFERENCES), sampler.horizon, networks.device, stream=Stream.COMMON_DRIFT)
    features = sampler.continuations(drawn, surprises, between_bars)
    return returns.common_drift(features, surprises.of(features[:, :, [GAP, RETURN]].astype(np.float64)), state)
