"""Several strategies, each on its part of the capital, added up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.backtest import Backtest, Terms, backtest
from stresslab.backtest.portfolio import check_portfolio, combine
from stresslab.core.errors import InputError
from stresslab.data.universes import Universes
from stresslab.strategy import load_strategies
from tests.make.bars import make_bars


def trend(bars: Any, window: int = 10) -> Any:
    """Long above the moving average."""
    return (bars.close > bars.close.rolling(window).mean()).astype(float)


def fade(bars: Any, window: int = 5) -> Any:
    """Short above the moving average."""
    return -0.5 * (bars.close > bars.close.rolling(window).mean()).astype(float)


def universes() -> Universes:
    """Five continuations of one history."""
    bars = make_bars(300)
    values = np.stack([make_bars(300, seed).values[200:] for seed in range(5)])
    return Universes(values, bars.timestamps[200:], bars[:200], np.arange(5))


def parts(shares: tuple[float, float], cash: float = 100_000.0) -> list[Backtest]:
    """Each strategy alone with its share of the cash."""
    found = load_strategies([trend, fade], {})
    return [backtest(one, universes(), Terms(init_cash=cash * share)) for one, share in zip(found, shares, strict=True)]


def test_a_book_is_the_sum_of_its_parts() -> None:
    """Equity, profits, trades and interest add up; a quarter of the cash lies idle."""
    sleeves = parts((0.5, 0.25))
    portfolio = combine(sleeves, 100_000.0)
    np.testing.assert_allclose(portfolio.equity, 25_000 + sleeves[0].equity + sleeves[1].equity)
    np.testing.assert_array_equal(portfolio.trades, sleeves[0].trades + sleeves[1].trades)
    made = portfolio.gross_profit - portfolio.gross_loss + portfolio.interest
    np.testing.assert_allclose(made, portfolio.equity[-1] - portfolio.equity[0], atol=1e-6)
    money = sum(one.position * one.equity[:-1] for one in sleeves)
    np.testing.assert_allclose(portfolio.position * portfolio.equity[:-1], money)
    assert np.abs(portfolio.position).max() < 0.8


def test_a_book_of_one_strategy_is_the_strategy() -> None:
    """With all of the capital in one part, every figure is the part's own."""
    (alone, _) = parts((1.0, 0.1))
    portfolio = combine([alone], alone.init_cash)
    np.testing.assert_allclose(portfolio.equity, alone.equity)
    np.testing.assert_allclose(portfolio.position, alone.position)
    np.testing.assert_allclose(portfolio.traded, alone.traded)


def test_a_portfolio_is_frozen_where_it_is_ruined() -> None:
    """A part that owes more than the others have ruins the portfolio; what comes after is not counted."""
    sleeves = parts((0.5, 0.5))
    owing = sleeves[1].equity.copy()
    owing[40:, 2] = -80_000.0
    broken = Backtest(**{**vars(sleeves[1]), "equity": owing})
    portfolio = combine([sleeves[0], broken], 100_000.0)
    assert portfolio.ruined.tolist() == [False, False, True, False, False]
    np.testing.assert_array_equal(portfolio.equity[40:, 2], portfolio.equity[40, 2])
    assert portfolio.equity[40, 2] < 0
    assert not portfolio.position[40:, 2].any()


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"trent": 0.5}, "no strategy is called 'trent'; did you mean 'trend'"),
        ({"trend": 0.0}, "a share of the capital is a number above 0"),
        ({"trend": float("nan")}, "a share of the capital is a number above 0"),
        ({"trend": 0.7, "fade": 0.4}, "add up to 1.1 of the capital"),
    ],
)
def test_bad_shares_are_refused(weights: dict[str, float], words: str) -> None:
    """In one line that names the strategy and the share."""
    with pytest.raises(InputError, match=words):
        check_portfolio(weights, ["trend", "fade"])


def test_a_strategy_cannot_be_called_portfolio() -> None:
    """Its rows could not be distinguished from the portfolio's own."""
    with pytest.raises(InputError, match="rename"):
        check_portfolio({"portfolio": 0.5}, ["portfolio"])
