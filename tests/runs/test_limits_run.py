"""Limits of a stored run: every number of the page again, by plain loops over the accounts that it kept."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.metrics.account_rules import AccountRules, EquityInBars
from stresslab.report.wording import share
from stresslab.runs.decision_settings import HeldSettings
from stresslab.runs.limits_run import limits_run
from tests.make.account_loop import by_hand
from tests.make.decided import decided_run
from tests.make.intervals import quantile_ends, score_interval
from tests.make.pages import Page

LIMITS = """limits: [P(drawdown > 5%) <= 20%, P(loss) <= 60%, VaR 95 <= 3%, ES 97.5 <= 50%, P(pass) >= 10%]
account: {profit_target: 3%, daily_loss: 1.5%, maximum_loss: 4%, trailing: intrabar, minimum_days: 3, consistency: 60%}
"""
RULES = AccountRules(0.03, 0.015, 0.04, "intrabar", 3, None, 0.6)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any], Any, pd.DatetimeIndex]:
    """Page, answers, accounts and time stamps."""
    folder = tmp_path_factory.mktemp("held")
    run = decided_run(folder)
    (folder / "limits.yaml").write_text(LIMITS)
    found = limits_run(HeldSettings.of({"run": str(run), "limits_file": str(folder / "limits.yaml")}))
    page, facts, accounts = found.save(folder, accounts=True)
    stamps = pd.DatetimeIndex(pd.read_parquet(run / "paths.parquet")["timestamp"])
    return page.read_text(), json.loads(facts.read_text())["both_ways"], np.load(accounts), stamps


def test_every_end_is_that_of_a_loop(held: tuple[str, dict[str, Any], Any, pd.DatetimeIndex]) -> None:
    """P(pass), P(each breach) and the days until then, on every side."""
    _, facts, accounts, stamps = held
    for name, rows in facts["outcomes"].items():
        equity, low, high = (accounts[f"0/{name}/{part}"] for part in ("equity", "low", "high"))
        days = np.array([stamp.toordinal() for stamp in stamps])
        inside = EquityInBars(equity[1:], low, high, days)
        ends = [by_hand(inside, RULES, universe) for universe in range(equity.shape[1])]
        assert {row["name"] for row in rows} >= {end for end, _, _ in ends}
        for row in rows:
            until = [after for end, _, after in ends if end == row["name"]]
            expected = (len(until) / len(ends), *score_interval(len(until), len(ends)))
            assert tuple(row["probability"][part] for part in ("value", "low", "high")) == pytest.approx(expected)
            if row["days"] is not None:
                low, high = (end if math.isfinite(end) else None for end in quantile_ends(until, 0.5))
                assert (row["days"]["low"], row["days"]["high"]) == (low, high)
                assert row["days"]["value"] == pytest.approx(np.median(until))


def test_every_answer_is_that_of_plain_numpy(held: tuple[str, dict[str, Any], Any, pd.DatetimeIndex]) -> None:
    """Estimates from equity alone, and the answer from the interval and the bound."""
    _, facts, accounts, _ = held
    for name in ("generated", "without", "supported"):
        equity = accounts[f"0/{name}/equity"]
        returns = np.sort(equity[-1] - 1)
        falls = [max(1 - path[at] / max(path[: at + 1]) for at in range(len(path))) for path in equity.T]
        shortfall = -returns[: len(returns) // 40].mean()  # 3 of 120
        passed = next(row for row in facts["outcomes"][name] if row["name"] == "passed")["probability"]["value"]
        expected = [
            np.mean(np.array(falls) > 0.05), np.mean(returns < 0), -np.quantile(returns, 0.05), shortfall, passed,
        ]  # fmt: skip
        assert [one["sides"][name] for one in facts["answers"]] == pytest.approx(expected)
    equity = accounts[f"0/{facts['judged']}/equity"]
    returns, count = equity[-1] - 1, equity.shape[1]
    falls = [max(1 - path[at] / max(path[: at + 1]) for at in range(len(path))) for path in equity.T]
    passed = next(row for row in facts["outcomes"][facts["judged"]] if row["name"] == "passed")["probability"]["value"]
    rng = np.random.default_rng(0)
    tails = np.sort(rng.choice(returns, (4000, count)), axis=1)[:, : count // 40].mean(axis=1)
    by_hand_ends = [
        score_interval(sum(fall > 0.05 for fall in falls), count),
        score_interval(sum(returns < 0), count),
        tuple(-end for end in reversed(quantile_ends(list(returns), 0.05))),
        tuple(-np.quantile(tails, [0.975, 0.025])),
        score_interval(round(passed * count), count),
    ]
    for one, ends in zip(facts["answers"], by_hand_ends, strict=True):
        room = 0.05 if one["limit"].startswith("ES") else 1e-6  # a bootstrap of other random numbers
        assert (one["estimate"]["low"], one["estimate"]["high"]) == pytest.approx(ends, rel=room), one["limit"]
    for one in facts["answers"]:
        low, high, bound = one["estimate"]["low"], one["estimate"]["high"], one["bound"]
        kept, broken = (high <= bound, low > bound) if "<=" in one["limit"] else (low >= bound, high < bound)
        assert one["passed"] is (True if kept else False if broken else None)


def test_the_page_shows_these_figures(held: tuple[str, dict[str, Any], Any, pd.DatetimeIndex]) -> None:
    """Every limit with its answer, estimate and interval."""
    page, facts, _, _ = held
    words = " ".join(Page(page).text.split())
    for one in facts["answers"]:
        sign = {True: "✓ kept", False: "✕ broken", None: "? undecided"}[one["passed"]]
        found = one["estimate"]
        ends = f"{share(found['low'])} to {share(found['high'])}"
        assert f"{one['limit']} {sign} {share(found['value'])} {ends}" in words


def test_files_are_written(tmp_path: Path, held: tuple[str, dict[str, Any], Any, pd.DatetimeIndex]) -> None:
    """Answers are plain JSON."""
    _, facts, _, _ = held
    assert json.loads(json.dumps(facts)) == facts
