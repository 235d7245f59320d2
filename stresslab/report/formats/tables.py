"""A result as plain tables, for spreadsheets and other programs: fractions and prices as they were computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.metrics.measures import MEASURES
from stresslab.report.charts import error_budget


def tables(result: StressResult) -> dict[str, pd.DataFrame]:
    """Every table by name: verdicts, measures, metrics, checks, fan, equity, replays, and what the studies found."""
    settings = (result.studies.get("knobs") or {}).get("settings") or []
    studied: dict[str, Callable[[StrategyResult], list[dict[str, Any]]]] = {
        "errors": _errors,
        "costs": lambda one: _varied(one, "costs", ("factor",)),
        "parameters": _parameters,
        "knobs": lambda one: _knobs(one, settings),
        "shocks": _shocks,
        "worlds": lambda one: _varied(one, "contrasts", ("name", "label")),
        "origins": _origins,
    }
    found = {name: [row for one in result.strategies for row in rows(one)] for name, rows in studied.items()}
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
        "backtest": pd.concat(
            [
                _named(one.track.reset_index(names="timestamp"), one.name)
                for one in result.strategies
                if one.track is not None
            ]
            or [pd.DataFrame()],
            ignore_index=True,
        ),
        "replays": pd.concat(
            [_named(one.replays, one.name) for one in result.strategies if one.replays is not None] or [pd.DataFrame()],
            ignore_index=True,
        ),
        **{name: pd.DataFrame(rows) for name, rows in found.items() if rows},
    }


def _errors(one: StrategyResult) -> list[dict[str, Any]]:
    """Each headline figure with the ends of each part of its error; nothing where it was not studied."""
    if one.edge is None:
        return []
    return [
        {
            **{"strategy": one.name, "figure": headline.name, "value": headline.budget.value},
            **{"part": part.name, "low": part.low, "high": part.high, "count": part.count},
        }
        for headline in error_budget.headlines(one)
        for part in headline.budget.parts
    ]


def _shocks(one: StrategyResult) -> list[dict[str, Any]]:
    base = (one.studies.get("fragility") or {}).get("as_generated")
    rows = [{"label": "as generated", **base}] if base else []
    return [
        {"strategy": one.name, "shock": row["label"], **_figures(row)}
        for row in [*rows, *(one.studies.get("shocks") or [])]
    ]


def _varied(one: StrategyResult, study: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a study, each with what was varied."""
    rows = one.studies.get(study) or []
    return [{"strategy": one.name, **{name: row[name] for name in names}, **_figures(row)} for row in rows]


def _parameters(one: StrategyResult) -> list[dict[str, Any]]:
    found = one.studies.get("parameters")
    if not found:
        return []
    rows = [{"parameter": None, "value": None, **found["as_given"]}, *found["moved"]]
    return [
        {"strategy": one.name, "parameter": row["parameter"], "moved_to": row["value"], **_figures(row)} for row in rows
    ]


def _knobs(one: StrategyResult, settings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each setting of the generator, with what it does to realism."""
    rows = _varied(one, "knobs", ("temperature", "top_p", "context", "own"))
    return [row | dict(setting) for row, setting in zip(rows, settings, strict=bool(rows))]


def _origins(one: StrategyResult) -> list[dict[str, Any]]:
    rows = (one.studies.get("eras") or {}).get("origins") or []
    kept = ("origin", "trend", "volatility", "in_sample")
    return [
        {
            **{"strategy": one.name, **{name: row[name] for name in kept}, **_figures(row)},
            **{"realised_return": row["realised_return"], "realised_rank": row["realised_percentile"]["value"]},
        }
        for row in rows
    ]


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    """The figures under one condition, with both ends of their intervals."""
    flat: dict[str, Any] = {}
    for name in ("probability_of_loss", "expected_shortfall_97_5"):
        if name in row:
            flat |= {name: row[name]["value"], f"{name}_low": row[name]["low"], f"{name}_high": row[name]["high"]}
    return flat | {"median_return": row["median_return"]}


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
        "edge": None if one.edge is None else one.edge["label"],
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
