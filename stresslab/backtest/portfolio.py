"""A book: several strategies, each trading its part of the capital on its own; their accounts added up.

Nothing is moved between the parts, so that a part that loses is not refilled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import numpy as np

from stresslab.backtest.result import Backtest, FloatArray
from stresslab.core.errors import InputError

BOOK = "book"
"""The name that a book goes by among strategies."""


def check_book(weights: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    """The shares of capital by strategy; refuses what is no book of these strategies.

    Args:
        weights: share of the initial capital by name of the strategy; what is left stays in cash.
        names: of the strategies there are.

    Raises:
        InputError: a name is unknown, a share is not above 0, or all of them exceed the capital.
    """
    for name, share in weights.items():
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
            raise InputError(f"book {name}={share}: no strategy is called {name!r}; {hint}")
        if isinstance(share, bool) or not math.isfinite(share) or share <= 0:
            raise InputError(f"book {name}={share} is no share of the capital; give a number above 0, such as 0.5")
    if math.fsum(weights.values()) > 1 + 1e-9:
        raise InputError(
            f"book: the shares add up to {math.fsum(weights.values()):g} of the capital; give at most 1 in all"
        )
    if BOOK in names:
        raise InputError(f"a strategy is called {BOOK!r}, as the book is; rename its file or function")
    return {name: float(share) for name, share in weights.items()}


def combine(parts: Sequence[Backtest], init_cash: float) -> Backtest:
    """The accounts of the same universes, added up.

    Args:
        parts: accounts whose initial cash adds up to at most `init_cash`.
        init_cash: of the book; what no part has lies idle.

    Returns:
        The book's accounts. Its position and its trading are those of the parts, netted, as shares of its equity at
        the close before; trades and profits are those of the parts. A book is ruined where its equity reaches zero at
        a close, and frozen there.
    """
    idle: float = init_cash - math.fsum(part.init_cash for part in parts)
    equity = idle + np.sum([part.equity for part in parts], axis=0)  # (T+1, N)
    alive = np.logical_and.accumulate(equity > 0, axis=0)
    ends = np.take_along_axis(equity, np.minimum(alive.sum(axis=0), len(equity) - 1)[None], axis=0)
    before = equity[:-1]

    def shared(values: Sequence[FloatArray]) -> FloatArray:
        """Fractions of the parts' equity as fractions of the book's (T, N)."""
        money = np.sum([value * part.equity[:-1] for value, part in zip(values, parts, strict=True)], axis=0)
        return np.asarray(np.divide(money, before, out=np.zeros_like(before), where=alive[:-1]))

    sums = {
        name: np.sum([getattr(part, name) for part in parts], axis=0)
        for name in ("trades", "wins", "gross_profit", "gross_loss", "interest")
    }
    return Backtest(
        equity=np.where(alive, equity, ends),
        position=shared([part.position for part in parts]),
        traded=shared([part.traded for part in parts]),
        **sums,
        ruined=~alive[-1],
        ids=parts[0].ids,
        timestamps=parts[0].timestamps,
        init_cash=init_cash,
    )
