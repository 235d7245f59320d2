"""What a result over several symbols is made of: their parts, their dependence, and one rule on all of them.

Shapes: K symbols, N universes, T bars.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stresslab.analysis.case import Case
from stresslab.analysis.permutation_test import positions_and_returns
from stresslab.backtest import backtest
from stresslab.backtest.result import JointBacktest
from stresslab.core.arrays import FloatArray
from stresslab.core.plain_json import plain
from stresslab.data.bars import CLOSE
from stresslab.data.market_index import IndexBars, IndexUniverses
from stresslab.data.universes import Universes
from stresslab.generators.dependence import BARS, log_returns
from stresslab.generators.permutation import permuted_bars
from stresslab.metrics.dependence import joint_losses, pairs, spearman
from stresslab.metrics.distribution import expected_shortfall, probability_of_loss
from stresslab.metrics.pooled import breadth, pooled

PERMUTATIONS = 199
"""Random orders of the real bars with which one rule on many symbols is compared, at most."""
VALUES_AT_ONCE = 4_000_000
"""Prices of permuted bars in memory."""
WORST = 5
"""Universes that are shown bar by symbol."""
SHOWN_PAIRS = 45
"""Pairs whose correlations are listed, those that miss reality most."""


def symbols(case: Case, permutations: int = PERMUTATIONS) -> dict[str, Any] | None:
    """The parts of a result over several symbols; None for one series.

    Args:
        case: the strategy and its universes.
        permutations: of the real bars, at most; 0 leaves the pooled evidence out.
    """
    universes, history = case.universes, case.history
    if not (isinstance(universes, IndexUniverses) and isinstance(history, IndexBars)):
        return None
    account = case.account
    assert isinstance(account, JointBacktest)
    names = history.market.symbols
    parts = account.contributions / account.init_cash  # (K, N)
    interest = account.interest / account.init_cash
    warm = max(1, min(case.terms.warmup, len(history) // 2))
    real = Universes.from_bars(history[warm:], history[:warm])
    backtested = backtest(case.strategy, real, case.terms, periods_per_year=history.periods_per_year)
    assert isinstance(backtested, JointBacktest)
    rule = None
    alone = not (case.strategy.takes_market or case.strategy.sees_others)
    if permutations and alone and len(names) > 1:
        rule = _one_rule(case, history, backtested, real, min(permutations, PERMUTATIONS))
    of_rule = [None] * len(names) if rule is None else rule.pop("each")
    rows = [
        {
            "symbol": name,
            "backtest": plain(float(backtested.contributions[at, 0] / account.init_cash)),
            "mean": plain(float(own.mean())),
            "probability_of_loss": probability_of_loss(own).to_dict(),
            "expected_shortfall_97_5": expected_shortfall(own, seed=case.seed).to_dict(),
            "exposure": plain(float(np.abs(account.positions[at]).mean())),
            "timing": of_rule[at],
        }
        for at, (name, own) in enumerate(zip(names, parts, strict=True))
    ]
    return {
        "symbols": rows,
        "diversification": _diversification(parts, interest, case.seed),
        "dependence": _dependence(universes, history),
        "worst": _worst(parts, interest, account, names),
        "rule": rule,
    }


def _diversification(parts: FloatArray, interest: FloatArray, seed: int) -> dict[str, Any]:
    """Losses of the whole: as its parts came together, as if they were independent, and as if all fell at once.

    Independent parts are those of different universes: the k-th symbol's is taken k universes further on.
    """
    count = parts.shape[1]
    apart = sum((np.roll(own, at * max(1, count // len(parts))) for at, own in enumerate(parts)), interest)
    aligned = np.sort(parts, axis=1).sum(axis=0) + interest
    sides = {"together": parts.sum(axis=0) + interest, "independent": apart, "at_once": aligned}
    return {
        name: {
            "probability_of_loss": probability_of_loss(returns).to_dict(),
            "expected_shortfall_97_5": expected_shortfall(returns, seed=seed).to_dict(),
        }
        for name, returns in sides.items()
    }


def _dependence(universes: IndexUniverses, history: IndexBars) -> dict[str, Any]:
    """Correlations and joint losses of one-bar returns, simulated and real before the origin, by pair."""
    market = history.market
    last = np.broadcast_to(market.values[None, :, -1:, CLOSE], (*universes.symbols.shape[:2], 1))
    closes = np.concatenate([last, universes.symbols[..., CLOSE].astype(np.float64)], axis=2)
    simulated = np.diff(np.log(closes), axis=2).transpose(0, 2, 1).reshape(-1, len(market.symbols))
    real = log_returns(market)[-BARS:]
    found = {"simulated": pairs(spearman(simulated)), "real": pairs(spearman(real))}
    falls = {"simulated": pairs(joint_losses(simulated)), "real": pairs(joint_losses(real))}
    where = list(zip(*np.triu_indices(len(market.symbols), 1), strict=True))
    order = np.argsort(-np.abs(found["simulated"] - found["real"]), kind="stable")[:SHOWN_PAIRS]
    return {
        "pairs": [
            {
                "first": market.symbols[int(where[at][0])],
                "second": market.symbols[int(where[at][1])],
                **{f"correlation_{side}": plain(float(values[at])) for side, values in found.items()},
                **{f"joint_losses_{side}": plain(float(values[at])) for side, values in falls.items()},
            }
            for at in order
        ],
        "correlation_error": plain(float(np.abs(found["simulated"] - found["real"]).mean())),
        "joint_losses_ratio": plain(float(falls["simulated"].sum() / max(float(falls["real"].sum()), 1e-12))),
        "bars": len(real),
    }


def _worst(
    parts: FloatArray, interest: FloatArray, account: JointBacktest, names: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The worst joint universes, with what each symbol did to them."""
    whole = parts.sum(axis=0) + interest
    return [
        {
            "universe": int(account.ids[at]),
            "total_return": plain(float(whole[at])),
            "contributions": {name: plain(float(parts[k, at])) for k, name in enumerate(names)},
        }
        for at in np.argsort(whole, kind="stable")[:WORST]
    ]


def _one_rule(
    case: Case, history: IndexBars, account: JointBacktest, real: Universes, permutations: int
) -> dict[str, Any]:
    """Evidence that one rule times many symbols, against the same bars in random order, one order for all symbols.

    So symbols that move together count for what they are worth. Without the best two on the real bars, the others are
    compared with themselves; where nothing is timed at all, that is on the safe side. The p-value is (b + 1) / (m + 1)
    (Phipson & Smyth 2010).
    """
    found = pooled(_gains(account, real)[:, 0])
    size = max(1, VALUES_AT_ONCE // history.market.values.size)
    drawn: list[tuple[float, float]] = []
    strategy = case.strategy
    for start in range(0, permutations, size):
        ids = np.arange(start, min(start + size, permutations))
        shuffled = permuted_bars(history, len(real.history), ids, case.seed)
        made = backtest(strategy, shuffled, case.terms, periods_per_year=history.periods_per_year)
        strategy.log.take()
        assert isinstance(made, JointBacktest)
        gains = _gains(made, shuffled)
        drawn += [
            (one.together, one.without_best) for one in (pooled(gains[:, at], found.left) for at in range(len(ids)))
        ]
    whole, left = np.array(drawn).T
    p_value = (1 + int((whole >= found.together).sum())) / (permutations + 1)
    p_without = (1 + int((left >= found.without_best).sum())) / (permutations + 1)
    return {
        "breadth": breadth(len(found.each), p_value, p_without),
        "p_value": p_value,
        "p_value_without_best": p_without,
        "together": plain(found.together),
        "without_best": plain(found.without_best),
        "effective_symbols": plain(found.effective),
        "permutations": permutations,
        "each": [plain(float(one)) for one in found.each],
    }


def _gains(account: JointBacktest, universes: Universes) -> FloatArray:
    """Timing gains (T, N, K)."""
    held, earned = positions_and_returns(account, universes)
    gains = (held - held.mean(axis=0)) * (earned - earned.mean(axis=0))
    return np.asarray(gains)
