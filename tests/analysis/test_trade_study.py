"""Studies of lists whose answer is known: no skill, some skill, coins whose best size is Kelly's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import stresslab as sl
from stresslab.analysis.edge import Trials
from stresslab.analysis.limit_rules import Limit
from stresslab.analysis.limits import LimitPlan
from stresslab.analysis.result_trades import TradeStudy
from stresslab.analysis.sizes import SizePlan, sized
from stresslab.analysis.trade_bars import TradesOnBars, lay_over
from stresslab.analysis.trade_study import (
    LISTED,
    SUPPORTED,
    UNTIMED,
    TradePlan,
    drawn_bars,
    matched_accounts,
    resampled_accounts,
    trade_study,
)
from stresslab.backtest import Costs
from stresslab.data.bars import Bars
from stresslab.data.trades import TradeList
from stresslab.metrics.account_rules import AccountRules
from stresslab.metrics.edge_posterior import edge_posterior
from stresslab.metrics.position_size import kelly_size
from tests.make.bars import make_bars
from tests.make.trades import random_places, trades_at

BARS = make_bars(800)
PLAN = TradePlan(SizePlan.of("P(drawdown > 20%) <= 5%"), permutations=199, accounts=300, horizon=60, trials=Trials(1.0))


def random_list(seed: int = 1) -> TradesOnBars:
    """Trades at times that know nothing."""
    return lay_over(trades_at(BARS, random_places(len(BARS), seed)), BARS)


def skilled_list(share: float) -> TradesOnBars:
    """Long trades of five bars, of which a share that would lose is left out."""
    rng, opens = np.random.default_rng(5), BARS.values[:, 0]
    places = [(1, at, at + 5) for at in range(2, len(BARS) - 6, 7) if opens[at + 5] > opens[at] or rng.random() > share]
    return lay_over(trades_at(BARS, places), BARS)


def coins(win: float, lose: float, wins: int, losses: int) -> TradesOnBars:
    """One-bar trades of all the account that win and lose so much, in turn as evenly as can be."""
    total = wins + losses
    won = np.diff(np.floor(np.arange(total + 1) * wins / total)) > 0
    rows, price = [[100.0] * 4], 100.0
    for one in won:
        after = price * (1 + (win if one else -lose))
        rows.append([price, max(price, after), min(price, after), after])
        price = rows[-1][3]
        rows.append([price] * 4)
    frame = pd.DataFrame(rows, columns=["open", "high", "low", "close"], index=pd.date_range("2015", periods=len(rows)))
    frame["volume"] = 1.0
    bars = Bars.from_frame(frame, symbol="COIN", source="test")
    stamps, closes = bars.timestamps, bars.values[:, 3]
    at = np.arange(1, 2 * total, 2)
    table = pd.DataFrame({"side": 1, "units": np.nan, "entered": stamps[at], "left": stamps[at + 1],
                          "entry_price": closes[at - 1], "exit_price": closes[at], "profit": np.nan})  # fmt: skip
    return lay_over(TradeList.of(table, "test", "made"), bars)


def study(on_bars: TradesOnBars, plan: TradePlan = PLAN) -> TradeStudy:
    """A study in bootstrap universes."""
    universes = sl.StationaryBootstrap().sample(on_bars.bars, plan.horizon, 200, 1)
    return trade_study(on_bars, universes, "bootstrap", plan)


def test_a_list_without_skill() -> None:
    """Its p-values over lists are spread evenly, and what it earns is what its exposure earns elsewhere."""
    found = [study(random_list(seed), replace(PLAN, permutations=99, accounts=100)).edge.p_value for seed in range(24)]
    assert 0.3 < np.mean(found) < 0.7
    assert np.min(found) < 0.2
    assert np.max(found) > 0.8


def test_a_list_with_skill() -> None:
    """Random orders of the bars do not do as well, the edge is probable, and the supported size lies between."""
    found = study(skilled_list(0.7))
    assert found.edge.p_value == pytest.approx(1 / 200)
    assert found.edge.probability > 0.99
    assert found.matched.own > found.matched.real.high
    assert found.matched.own > found.matched.permuted.high
    kelly = {name: side.kelly.value for name, side in found.sides.items()}
    assert set(kelly) == {LISTED, UNTIMED, SUPPORTED}
    assert kelly[UNTIMED] < kelly[SUPPORTED] <= 1.01 * kelly[LISTED]
    assert found.judged == SUPPORTED


def test_many_trials_take_the_edge_away() -> None:
    """The same list as the best of a million is worth less."""
    one, many = (study(skilled_list(0.35), replace(PLAN, trials=Trials(count))) for count in (1.0, 1e6))
    assert many.edge.probability < one.edge.probability
    assert many.edge.supported.value < one.edge.supported.value
    assert many.edge.p_value == one.edge.p_value


def test_kelly_of_a_coin() -> None:
    """Accounts of coins that win 10% in 60 of 100 and lose 10% else grow most at twice the size: (p - q) / 0.1."""
    on_bars = coins(0.1, 0.1, 60, 40)
    accounts = resampled_accounts(on_bars, None, 0.0, 1.0, replace(PLAN, accounts=3000, horizon=200))
    credit = SizePlan(Limit.parse("P(drawdown > 20%) <= 5%"), borrow_rate=0.0, maintenance=0.0)
    found = kelly_size(sized(accounts.by_name[LISTED], accounts, credit), 10.0, 0)
    assert found.size == pytest.approx(2.0, abs=0.1)
    assert kelly_size(sized(accounts.by_name[UNTIMED], accounts, credit), 10.0, 0).size == pytest.approx(0.0, abs=0.05)


def test_resampled_trades_keep_their_law() -> None:
    """With blocks of one trade, outcomes are independent: as often won as in the list, and in a binomial number."""
    on_bars = coins(0.1, 0.1, 60, 40)
    busy = (on_bars.position != 0) | (on_bars.growth != 0)
    at = drawn_bars(busy, replace(PLAN, accounts=2000, horizon=100), 1.0)
    drawn = on_bars.growth[at]
    wins = (drawn > 0.05).sum(axis=0)
    trades = (np.abs(drawn) > 0.05).sum(axis=0)
    assert wins.sum() / trades.sum() == pytest.approx(0.6, abs=0.01)
    assert (wins - 0.6 * trades).var() == pytest.approx(0.24 * trades.mean(), rel=0.1)


def test_accounts_of_a_seed_do_not_depend_on_their_number() -> None:
    """Account i is the same in any company."""
    busy = random_list().position != 0
    few, many = (drawn_bars(busy, replace(PLAN, accounts=count), 3.0) for count in (5, 9))
    assert np.array_equal(few, many[:, :5])
    assert few.shape == (60, 5)


def test_supported_takes_what_the_posterior_takes() -> None:
    """An account whose draw is the estimate is as listed; one whose draw is zero is without timing."""
    on_bars = skilled_list(0.7)
    sharp = edge_posterior(2.0, 1e-4)
    accounts = resampled_accounts(on_bars, sharp, 0.0, 3.0, PLAN).by_name
    np.testing.assert_allclose(accounts[SUPPORTED].equity, accounts[LISTED].equity, rtol=1e-2)
    assert SUPPORTED not in resampled_accounts(on_bars, edge_posterior(-2.0, 0.5), 0.0, 3.0, PLAN).by_name


def test_matched_exposure_of_a_full_position_is_buy_and_hold() -> None:
    """A list that is always long earns in universes what the market earns, once bought and once sold."""
    on_bars = lay_over(trades_at(BARS, [(1, at, at + 100) for at in range(2, 702, 100)]), BARS)
    full = replace(on_bars, position=np.ones_like(on_bars.position))
    universes = sl.StationaryBootstrap().sample(BARS, 40, 30, 1)
    equity = matched_accounts(full, universes, Costs(0.0, 0.0), 0)
    market = universes.values[:, -1, 3] / universes.values[:, 0, 0]
    np.testing.assert_allclose(equity[-1], market, rtol=1e-6)
    cost = matched_accounts(full, universes, Costs(0.001, 0.0), 0)[-1] / equity[-1]
    assert cost.max() < 1 - 0.0019
    assert cost.min() > 1 - 0.0022


def test_account_rules_end_accounts() -> None:
    """Rules are watched inside bars: nobody passes a target beyond reach, everybody breaks a limit of nothing."""
    rules = AccountRules(profit_target=100.0, maximum_loss=1e-9)
    found = study(random_list(), replace(PLAN, limits=LimitPlan((), rules))).limits
    ends = {one.name: one.probability.value for one in found.outcomes[UNTIMED]}
    assert ends["passed"] == 0
    assert ends["maximum_loss"] == 1
    assert found.judged in (UNTIMED, SUPPORTED)


def test_it_has_no_label() -> None:
    """Nothing in it is a verdict, which needs the rule."""
    text = study(random_list()).model_dump_json()
    assert not any(f'"{label}"' in text for label in ("robust", "fragile", "lucky", "losing"))


def test_constant_exposure_has_no_edge_to_judge() -> None:
    """A list that is never out gets no probability."""
    on_bars = lay_over(trades_at(BARS, [(1, at, at + 100) for at in range(2, 702, 100)]), BARS)
    found = study(replace(on_bars, position=np.ones_like(on_bars.position)))
    assert found.edge.probability is None
    assert found.edge.p_value == 1
    assert found.judged == UNTIMED
