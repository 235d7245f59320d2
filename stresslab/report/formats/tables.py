"""A result as plain tables, for spreadsheets and other programs: fractions and prices as they were computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.analysis.result_models import ReturnFigures
from stresslab.analysis.result_studies import Fold, SettingRealism
from stresslab.metrics.measures import MEASURES
from stresslab.report.charts import error_budget


def tables(result: StressResult) -> dict[str, pd.DataFrame]:
    """Every table by name: verdicts, measures, metrics, checks, fan, equity, replays, and what the studies found."""
    settings = result.studies.generator_sweep.settings if result.studies.generator_sweep else ()
    studied: dict[str, Callable[[StrategyResult], list[dict[str, Any]]]] = {
        "errors": _errors,
        "costs": lambda one: _varied(one, one.studies.costs, "factor"),
        "parameters": _parameters,
        "generator_sweep": lambda one: _generator_sweep(one, settings),
        "shocks": _shocks,
        "alternative_generators": lambda one: _varied(one, one.studies.alternative_generators, "name", "label"),
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
        "bar_records": pd.concat(
            [_named(one.replays, one.name) for one in result.strategies if one.replays is not None] or [pd.DataFrame()],
            ignore_index=True,
        ),
        **{name: pd.DataFrame(rows) for name, rows in found.items() if rows},
    }


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """The table with an apostrophe before texts that a spreadsheet would run as formulas, as OWASP advises."""
    safe = table.copy()
    for name in safe.columns:
        if not (pd.api.types.is_numeric_dtype(safe[name]) or pd.api.types.is_datetime64_any_dtype(safe[name])):
            safe[name] = [
                f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
                for cell in safe[name]
            ]
    return safe


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
    rows: list[tuple[str, ReturnFigures]] = [(row.label, row) for row in one.studies.shocks or ()]
    if one.studies.fragility:
        rows.insert(0, ("as generated", one.studies.fragility.as_generated))
    return [{"strategy": one.name, "shock": label, **_figures(row)} for label, row in rows]


def _varied(one: StrategyResult, rows: Sequence[ReturnFigures] | None, *names: str) -> list[dict[str, Any]]:
    """The rows of a study, each with what was varied."""
    return [{"strategy": one.name, **row.model_dump(include=set(names)), **_figures(row)} for row in rows or ()]


def _parameters(one: StrategyResult) -> list[dict[str, Any]]:
    found = one.studies.parameters
    if not found:
        return []
    rows = [(None, None, found.as_given), *((row.parameter, row.value, row) for row in found.moved)]
    return [{"strategy": one.name, "parameter": name, "moved_to": value, **_figures(row)} for name, value, row in rows]


def _generator_sweep(one: StrategyResult, settings: Sequence[SettingRealism]) -> list[dict[str, Any]]:
    """A row for each setting of the generator, with what it does to realism."""
    rows = _varied(one, one.studies.generator_sweep, "temperature", "top_p", "context", "own")
    return [row | setting.to_dict() for row, setting in zip(rows, settings, strict=bool(rows))]


def _origins(one: StrategyResult) -> list[dict[str, Any]]:
    rows = one.studies.walk_forward.origins if one.studies.walk_forward else ()
    kept = {"origin", "trend", "volatility", "in_sample"}
    return [
        {
            **{"strategy": one.name, **row.model_dump(include=kept), **_figures(row)},
            **{"realised_return": row.realised_return, "realised_rank": row.realised_percentile.value},
        }
        for row in rows
    ]


def _figures(row: ReturnFigures | Fold) -> dict[str, Any]:
    """The figures under one condition, with both ends of their intervals."""
    flat: dict[str, Any] = {}
    named = {"probability_of_loss": row.probability_of_loss, "expected_shortfall_97_5": row.expected_shortfall_97_5}
    for name, found in named.items():
        flat |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    return flat | {"median_return": row.median_return}


def _named(table: pd.DataFrame, name: str) -> pd.DataFrame:
    named = table.copy()
    named.insert(0, "strategy", name)
    return named


def _verdict(one: StrategyResult) -> dict[str, Any]:
    loss = one.universes.probability_of_loss
    returns, falls = one.universes.of_measure("total_return"), one.universes.of_measure("max_drawdown")
    return {
        "strategy": one.name,
        "verdict": one.verdict.label,
        "edge": None if one.edge is None else one.edge.label,
        "universes": one.universes.count,
        "probability_of_loss": loss.value,
        "probability_of_loss_low": loss.low,
        "probability_of_loss_high": loss.high,
        **{f"return_{level}": returns.quantile(level) for level in (0.05, 0.5, 0.95)},
        "value_at_risk_95": returns.value_at_risk_95,
        "value_at_risk_99": returns.value_at_risk_99,
        "expected_shortfall_97_5": returns.expected_shortfall_97_5,
        "max_drawdown_0.5": falls.median,
        "realised_return": one.realised_return,
        "realised_percentile": one.luck.realised_percentile,
        "backtest_return": one.backtest_return,
    }


def _measure(one: StrategyResult, name: str) -> dict[str, Any]:
    entry = one.universes.of_measure(name)
    return {
        "strategy": one.name,
        "measure": name,
        **entry.model_dump(include={"mean", "std", "min", "max"}),
        **{f"quantile_{level}": value for level, value in entry.quantiles.items()},
        **entry.model_dump(include={"value_at_risk_95", "value_at_risk_99", "expected_shortfall_97_5"}),
        "realised": one.realised_of(name),
        "backtest": one.backtest_of(name),
    }
