"""A result as plain tables, for spreadsheets and other programs: fractions and prices as they were computed."""

from __future__ import annotations

from typing import Any

import pandas as pd

from stresslab.result import StressResult
from stresslab.statistics.measures import MEASURES


def tables(result: StressResult) -> dict[str, pd.DataFrame]:
    """Every table by name: verdicts, measures, metrics, checks, fan, equity and worst."""
    return {
        "verdicts": pd.DataFrame([_verdict(one) for one in result.strategies]),
        "checks": pd.DataFrame(
            [{"strategy": one.name} | check.to_dict() for one in result.strategies for check in one.verdict.checks]
        ),
        "measures": pd.DataFrame([_measure(one, name) for one in result.strategies for name in MEASURES]),
        "metrics": result.metrics,
        "fan": result.fan.reset_index(names="timestamp"),
        "equity": pd.concat(
            [_named(one.equity_fan.reset_index(names="step"), one.name) for one in result.strategies], ignore_index=True
        ),
        "worst": pd.concat(
            [_named(one.worst, one.name) for one in result.strategies if one.worst is not None] or [pd.DataFrame()],
            ignore_index=True,
        ),
    }


def _named(table: pd.DataFrame, name: str) -> pd.DataFrame:
    named = table.copy()
    named.insert(0, "strategy", name)
    return named


def _verdict(one: Any) -> dict[str, Any]:
    loss = one.universes["probability_of_loss"]
    returns, falls = (one.universes["measures"][name] for name in ("total_return", "max_drawdown"))
    return {
        "strategy": one.name,
        "verdict": one.verdict.label,
        "universes": one.universes["count"],
        **{f"probability_of_loss{end}": loss[key] for end, key in (("", "value"), ("_low", "low"), ("_high", "high"))},
        **{f"return_{level}": returns["quantiles"][level] for level in ("0.05", "0.5", "0.95")},
        "value_at_risk_95": returns["value_at_risk_95"],
        "value_at_risk_99": returns["value_at_risk_99"],
        "expected_shortfall_97_5": returns["expected_shortfall_97_5"],
        "max_drawdown_0.5": falls["quantiles"]["0.5"],
        "realised_return": None if one.realised is None else one.realised["total_return"],
        "realised_percentile": one.luck.get("realised_percentile"),
        "backtest_return": one.backtest["total_return"],
    }


def _measure(one: Any, name: str) -> dict[str, Any]:
    entry = one.universes["measures"][name]
    return {
        "strategy": one.name,
        "measure": name,
        **{key: entry[key] for key in ("mean", "std", "min", "max")},
        **{f"quantile_{level}": value for level, value in entry["quantiles"].items()},
        **{key: entry[key] for key in ("value_at_risk_95", "value_at_risk_99", "expected_shortfall_97_5")},
        "realised": None if one.realised is None else one.realised.get(name),
        "backtest": one.backtest.get(name),
    }
