"""A bar drawn at the quantile that is asked for: how symbols sampled side by side can move together.

A bar is a coarse and a fine token. The coarse one is drawn given the uniform u of the bar's return, the fine one at
the quantile that u is given the coarse one (Rosenblatt 1952). Whatever is believed of the fine tokens beforehand, the
pair has the model's own law exactly when u is uniform; the better the belief, the closer the decoded return lies to
the u-quantile.
Where u comes from is not known here. Shapes: N universes, V vocabulary, B bins of returns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stresslab.core.randomness import WORDS, Stream, uniforms
from stresslab.generators.kronos.inference_weights import Decoder
from stresslab.generators.kronos.kv_cache import CachedBlocks
from stresslab.generators.kronos.token_sampling import TokenSampling, invert

BINS = 64
"""Bins of the decoded return, equally likely at the origin."""
SPREAD = 1e-4
"""Share of every coarse token's belief that is spread over all bins, so that none is ruled out."""
ROWS = 64
"""Rows of a product, so that its bits do not depend on how many universes are computed together."""


@dataclass(frozen=True, eq=False)
class Company:
    """What a history's universes share with those of other symbols.

    Attributes:
        symbol: position of the symbol in its market; its own draws are addressed by it.
        quantiles: uniforms (n, T) of the returns, of universe ids (n,) and a number of bars.
    """

    symbol: int
    quantiles: Callable[[NDArray[np.int64], int], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class ReturnOrder:
    """What each pair of tokens decodes to by itself.

    Attributes:
        returns: (V, V) of coarse and fine token, in units of the representation.
        order: (V, V) int16, fine tokens of each coarse one, the lowest return first.
    """

    returns: Tensor
    order: Tensor

    @classmethod
    def of(cls, decoder: Decoder, feature: int) -> ReturnOrder:
        """Decode all pairs; `feature` is the one that moves with the close."""
        vocabulary, fine = len(decoder.coarse), torch.arange(len(decoder.fine), device=decoder.fine.device)
        rows = []
        with torch.inference_mode():
            for coarse in range(vocabulary):
                pairs = decoder.embed(torch.full_like(fine, coarse), fine).unsqueeze(1)  # (V, 1, D)
                rows.append(decoder.head(CachedBlocks(decoder.blocks, len(fine), 0).extend(pairs))[:, 0, feature])
            returns = torch.stack(rows)
            return cls(returns, returns.argsort(dim=1, stable=True).to(torch.int16))

    @cached_property
    def ascending(self) -> Tensor:
        """Positions (V V,) of all pairs in `returns`, the lowest return first: the same for every history."""
        return self.returns.flatten().argsort(stable=True)


class Coupling:
    """Draws tokens at given quantiles of the return, for one history."""

    def __init__(self, table: ReturnOrder, chances: Tensor, fine: Tensor) -> None:
        """Lay out the bins.

        Args:
            table: what pairs of tokens decode to.
            chances: (V,) of the coarse tokens at the origin, on average.
            fine: (V, V), what is believed of the fine tokens given each coarse one.
        """
        self.order = table.order
        ordered = table.ascending
        mass = (chances.unsqueeze(1) * fine).flatten()[ordered].cumsum(0, dtype=torch.float64)
        cuts = torch.arange(1, BINS, device=mass.device, dtype=torch.float64) / BINS * mass[-1]
        edges = table.returns.flatten()[ordered[torch.searchsorted(mass, cuts).clamp_max(len(mass) - 1)]]
        bins = torch.bucketize(table.returns, edges, right=True)
        shares = torch.zeros(len(fine), BINS, device=fine.device).scatter_add_(1, bins, fine) + SPREAD / BINS
        self.shares = shares / shares.sum(dim=1, keepdim=True)  # (V, B)
        self.by_bin = self.shares.T.contiguous()  # (B, V)

    def coarse(self, chances: Tensor, u: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """Coarse tokens (N,), and the quantiles (N,) that are left for their fine ones.

        Args:
            chances: (N, V) probabilities of the coarse tokens.
            u: (N,) quantiles of the return, float64.
            own: (N,) uniforms of the choice among the tokens of one bin.
        """
        mass = torch.cat([rows @ self.shares for rows in chances.split(ROWS)]).double()  # (N, B)
        below = mass.cumsum(dim=1)
        at = u * below[:, -1]
        bins = torch.searchsorted(below.contiguous(), at.unsqueeze(1), right=True).squeeze(1).clamp_max(BINS - 1)
        within = _at(mass, bins)
        share = ((at - (_at(below, bins) - within)) / within).clamp(0.0, 1.0)
        tokens = invert(chances * self.by_bin[bins], own)
        believed = self.shares[tokens].double()
        here = _at(believed, bins)
        return tokens, _at(believed.cumsum(dim=1), bins) - here + share * here

    def fine(self, chances: Tensor, coarse: Tensor, left: Tensor) -> Tensor:
        """Fine tokens (N,) of probabilities (N, V), at the quantiles `left` (N,) of the return."""
        order = self.order[coarse].long()
        return _at(order, invert(chances.gather(1, order), left))


class CoupledDraws:
    """The tokens of some universes, bar by bar, at the quantiles that their company gives them."""

    def __init__(self, coupling: Coupling, company: Company, seed: int, ids: NDArray[np.int64], horizon: int) -> None:
        """Look the universes' uniforms up."""
        self.count, self.coupling, device = len(ids), coupling, coupling.order.device
        self._quantiles = torch.from_numpy(company.quantiles(ids, horizon)).to(device)  # (N, T)
        own = uniforms(seed, ids, horizon, 1, first_draw=company.symbol * WORDS, stream=Stream.COUPLING)
        self._own, self._left = torch.from_numpy(own[:, :, 0]).to(device), self._quantiles[:, 0]

    def coarse(self, choice: TokenSampling, logits: Tensor, step: int) -> Tensor:
        """Coarse tokens (N,) of logits (N, V)."""
        tokens, self._left = self.coupling.coarse(
            choice.probabilities(logits), self._quantiles[:, step], self._own[:, step]
        )
        return tokens

    def fine(self, choice: TokenSampling, logits: Tensor, coarse: Tensor, step: int) -> Tensor:
        """Fine tokens (N,) of logits (N, V), given the coarse ones just drawn."""
        return self.coupling.fine(choice.probabilities(logits), coarse, self._left)


def _at(rows: Tensor, columns: Tensor) -> Tensor:
    """One number (N,) of each row (N, V)."""
    return rows.gather(1, columns.unsqueeze(1)).squeeze(1)
