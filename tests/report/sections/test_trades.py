"""The words and tables about a list of trades."""

from __future__ import annotations

import pytest

import stresslab as sl
from stresslab.analysis.edge import Trials
from stresslab.analysis.limits import LimitPlan
from stresslab.analysis.result_trades import TradeStudy
from stresslab.analysis.sizes import SizePlan
from stresslab.analysis.trade_bars import lay_over
from stresslab.analysis.trade_study import DEFECTS, TradePlan, trade_study
from stresslab.metrics.account_rules import AccountRules
from stresslab.report.sections.trades import defects_sentence, headlines, list_rows, trade_tables
from tests.make.bars import make_bars
from tests.make.trades import random_places, trades_at


@pytest.fixture(scope="module")
def study() -> TradeStudy:
    """Of trades at random times, held to rules."""
    bars = make_bars(400)
    plan = TradePlan(
        SizePlan.of("P(drawdown > 20%) <= 5%"), LimitPlan((), AccountRules(profit_target=0.1, maximum_loss=0.1)),
        trials=Trials.of(1.0, None), permutations=99, accounts=100, horizon=40,
    )  # fmt: skip
    on_bars = lay_over(trades_at(bars, random_places(400, 1)), bars)
    return trade_study(on_bars, sl.StationaryBootstrap().sample(bars, 40, 50, 1), "bootstrap", plan)


def test_answers_say_what_they_rest_on(study: TradeStudy) -> None:
    """Assumed trials, the exposure elsewhere, the size, and that there is no verdict."""
    edge, matched, size, label = headlines(study)
    assert "as the best of 20 variants (assumed, since none were reported)" in edge
    assert "at random times" in matched
    assert "Accounts of resampled trades" in size or "No size keeps" in size
    assert "verdict such as robust or lucky need the rule itself" in label


def test_tables(study: TradeStudy) -> None:
    """The list, its exposure elsewhere, sizes of each side, how accounts end; rows are as wide as their headings."""
    tables = trade_tables(study)
    keys = [one.key for one in tables]
    assert keys[:2] == ["list", "matched"]
    assert keys[2] == f"sizes-{study.judged}"
    assert keys[-1] == "rules"
    assert all(len(row) == len(one.headings) for one in tables for row in one.rows)
    assert len(set(keys)) == len(keys)


def test_every_defect_is_printed(study: TradeStudy) -> None:
    """None is left out."""
    assert all(defect in defects_sentence(study) for defect in DEFECTS)


def test_the_capital_is_said_to_be_assumed(study: TradeStudy) -> None:
    """A capital that nobody gave is named as such."""
    assert "the least that pays for every position in full" in dict(list_rows(study))["Account"]
