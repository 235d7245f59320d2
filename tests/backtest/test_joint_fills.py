"""One account over several symbols, against an independent event loop and against vectorbt's grouped simulation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.backtest.costs import Costs
from stresslab.backtest.joint_fills import Prices, walk_jointly
from stresslab.backtest.result import JointBacktest
from stresslab.backtest.terms import Terms

STEPS, SYMBOLS, CASES = 12, 3, 150
PERIODS = 252.0
STAMPS = pd.date_range("2024-01-01", periods=STEPS)


def case(seed: int, scale: float = 0.05) -> dict[str, Any]:
    """Random prices and targets of many accounts; some targets keep what is held, some are 0."""
    rng = np.random.default_rng(seed)
    shape = (CASES, SYMBOLS, STEPS)
    closes = 50 * np.exp(rng.normal(0, scale, shape).cumsum(axis=2))
    opens = closes * np.exp(rng.normal(0, scale / 2, shape))
    targets = rng.uniform(-1, 1, shape)
    targets /= np.maximum(np.abs(targets).sum(axis=1, keepdims=True), 1e-9) / rng.uniform(0.2, 1, (CASES, 1, STEPS))
    targets[rng.random(shape) < 0.4] = np.nan
    targets[rng.random(shape) < 0.15] = 0.0
    return {"targets": targets, "opens": opens, "closes": closes, "slippage": rng.uniform(0, 0.01, shape)}


def walked(given: dict[str, Any], costs: list[Costs], terms: Terms) -> JointBacktest:
    """The accounts of a case."""
    prices = Prices(given["opens"], given["closes"], given["slippage"])
    return walk_jointly(given["targets"], prices, costs, terms, PERIODS, np.arange(len(given["targets"])), STAMPS)


def slow(given: dict[str, Any], n: int, costs: list[Costs], terms: Terms) -> dict[str, Any]:
    """The same account in the plainest words: a dict of holdings, one order after the other."""
    cash, held, curve, alive = terms.init_cash, dict.fromkeys(range(SYMBOLS), 0.0), [terms.init_cash], True
    interest = 0.0
    flows = [0.0] * SYMBOLS  # cash that each symbol brought

    def worth(prices: Any) -> float:
        return cash + sum(units * prices[k] for k, units in held.items())

    def settle(prices: Any) -> None:
        nonlocal cash
        for k, units in held.items():
            cash += units * prices[k]
            flows[k] += units * prices[k]
            held[k] = 0.0

    for t in range(STEPS):
        opens, closes = given["opens"][n, :, t], given["closes"][n, :, t]
        if alive and worth(opens) <= 0:
            settle(opens)
            alive = False
        if alive:
            value, wanted = worth(opens), {}
            for k in range(SYMBOLS):
                target = given["targets"][n, k, t]
                if not np.isnan(target):
                    wanted[k] = -held[k] if target == 0 else target * value / opens[k] - held[k]
            for k, units in sorted(wanted.items(), key=lambda one: one[1] * opens[one[0]]):
                price = opens[k] * (1 + given["slippage"][n, k, t] * np.sign(units))
                if units > 0:
                    room = cash + (terms.max_leverage - 1) * value - costs[k].fixed_fee
                    covering = min(max(-held[k], 0.0), units)
                    units = min(units, max(room / (price * (1 + costs[k].fees)), covering))
                if abs(units) * price <= 1e-12 * value:
                    continue
                if abs(units) * price < costs[k].min_trade and units != -held[k]:
                    continue
                paid = units * price + abs(units) * price * costs[k].fees + costs[k].fixed_fee
                cash, held[k] = cash - paid, 0.0 if units == -held[k] else held[k] + units
                flows[k] -= paid
            if worth(opens) <= 0:
                settle(opens)
                alive = False
        if alive:
            earned = cash * terms.risk_free / PERIODS
            cash, interest = cash + earned, interest + earned
            for k, units in held.items():
                value = units * closes[k]
                charge = costs[k].borrow_fee / PERIODS * max(-value, 0) + costs[k].funding / PERIODS * value
                cash -= charge
                flows[k] -= charge
            if worth(closes) <= 0:
                settle(closes)
                alive = False
        if alive and t == STEPS - 1:
            for k, units in held.items():
                if units:
                    price = closes[k] * (1 - given["slippage"][n, k, t] * np.sign(units))
                    got = units * price - abs(units) * price * costs[k].fees - costs[k].fixed_fee
                    cash, held[k] = cash + got, 0.0
                    flows[k] += got
        curve.append(worth(closes))
    return {"equity": curve, "interest": interest, "ruined": not alive, "contributions": flows}


TERMS = {
    "plain": (Terms(init_cash=1000.0), Costs(fees=0.001)),
    "credit and interest": (
        Terms(init_cash=1000.0, max_leverage=2.0, risk_free=0.5),
        Costs(borrow_fee=0.9, funding=0.4),
    ),
    "fixed fees": (Terms(init_cash=1000.0), Costs(fixed_fee=2.0, min_trade=40.0)),
}


@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("seed", range(7))
def test_equals_an_independent_event_loop(terms: str, seed: int) -> None:
    """3,150 random accounts have the equity, interest, contributions and ruin of the slow loop, to 1e-9."""
    account, base = TERMS[terms]
    given = case(seed, 0.4 if seed == 6 else 0.05)
    if account.max_leverage > 1:
        given["targets"] *= account.max_leverage
    costs = [base, replace(base, fees=0.004, borrow_fee=base.borrow_fee / 2), replace(base, fees=0.0)]
    found = walked(given, costs, account)
    for n in range(CASES):
        expected = slow(given, n, costs, account)
        np.testing.assert_allclose(found.equity[:, n], expected["equity"], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found.contributions[:, n], expected["contributions"], rtol=1e-9, atol=1e-8)
        assert found.interest[n] == pytest.approx(expected["interest"], rel=1e-9, abs=1e-9)
        assert bool(found.ruined[n]) == expected["ruined"]
    if seed == 6 and account.max_leverage > 1:
        assert found.ruined.any()


@pytest.mark.parametrize("seed", range(3))
def test_equals_vectorbts_grouped_simulation(seed: int) -> None:
    """Without credit and holding costs the accounts are those of vectorbt with shared cash and automatic sequence."""
    import vectorbt as vbt

    given, costs = case(seed), [Costs(fees=0.001), Costs(fees=0.002), Costs(fees=0.0)]
    found = walked(given, costs, Terms(init_cash=1000.0))

    def columns(name: str, last: float | None) -> np.ndarray:
        """(T + 1, N K), the last row as all is sold at the last close."""
        values, shape = given[name], (CASES, SYMBOLS, 1)
        end = values[:, :, -1:] if last is None else np.full(shape, last)
        end = given["closes"][:, :, -1:] if name == "opens" else end
        return np.concatenate([values, end], axis=2).transpose(2, 0, 1).reshape(STEPS + 1, -1)

    portfolio = vbt.Portfolio.from_orders(
        columns("closes", None), columns("targets", 0.0), size_type="targetpercent", price=columns("opens", None),
        fees=np.tile([one.fees for one in costs], CASES)[None], slippage=columns("slippage", None), init_cash=1000.0,
        group_by=np.repeat(np.arange(CASES), SYMBOLS), cash_sharing=True, call_seq="auto", freq="1D",
    )  # fmt: skip
    value = np.asarray(portfolio.value())
    expected = np.concatenate([np.full((1, CASES), 1000.0), value[:-2], value[-1:]])
    np.testing.assert_allclose(found.equity, expected, rtol=1e-9)


def test_profits_and_interest_add_up() -> None:
    """Closed trades, contributions and interest each say what the account gained."""
    terms, base = TERMS["credit and interest"]
    found = walked(case(1), [base] * SYMBOLS, terms)
    gained = found.equity[-1] - found.equity[0]
    np.testing.assert_allclose(found.gross_profit - found.gross_loss + found.interest, gained, atol=1e-8)
    np.testing.assert_allclose(found.contributions.sum(axis=0) + found.interest, gained, atol=1e-8)
    np.testing.assert_allclose(np.abs(found.positions).sum(axis=0), found.position, atol=1e-12)


def test_accounts_side_by_side() -> None:
    """Accounts in parts are the accounts of the whole."""
    given = case(2)
    costs = [Costs()] * SYMBOLS
    parts = [
        walked({name: array[rows] for name, array in given.items()}, costs, Terms())
        for rows in (slice(0, 40), slice(40, CASES))
    ]
    together = JointBacktest.concatenate(parts)
    whole = walked(given, costs, Terms())
    np.testing.assert_array_equal(together.equity, whole.equity)
    np.testing.assert_array_equal(together.positions, whole.positions)
