"""The evidence below the verdict: edge, fragility, error budget, shocks, what broke it, worlds, origins.

Each table begins with one sentence that says what to see in it; pictures stand above it where they show more. The
figures are those of `result.json`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stresslab.edge import edge_table
from stresslab.report import budgets, forest, sensitivity, timeline
from stresslab.report.axes import Chart
from stresslab.report.wording import UNDEFINED, clean, interval, number, percent
from stresslab.report.wording import share as _defined_share
from stresslab.result import StrategyResult, StressResult

EDGES: Mapping[str, str] = {
    "yes": "Its timing adds to its exposure, in the universes and on the real bars.",
    "no": "Nothing that it earns comes from its timing.",
    "unclear": "Its timing cannot be told from chance.",
}
"""What the labels of edge say."""
LONGEST_NUMBER = 24
"""Signs of a cell that may still be a number."""
MOST_SELECTED, MOST_NAMED = 30, 6
"""Strategies whose selection is written out, and that are listed in one cell, at most."""
_STANDINGS = {"supports": "speak for it", "open": "are open", "excludes": "speak against it"}


def share(value: float | None) -> str:
    """A share in percent, a dash where there is none."""
    return UNDEFINED if value is None else _defined_share(value)


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        key: its anchor, unique on a page.
        title: above it.
        sentence: what to see in it.
        headings: of the columns; the first names the rows.
        rows: text cells; what follows a line break in one stands small below the rest.
        charts: above it.
    """

    key: str
    title: str
    sentence: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    charts: tuple[Chart, ...] = ()

    @property
    def prose(self) -> tuple[bool, ...]:
        """Which columns hold words rather than numbers."""
        return tuple(
            any(len(part) > LONGEST_NUMBER for row in self.rows for part in row[at].split("\n"))
            for at in range(len(self.headings))
        )


@dataclass(frozen=True)
class Evidence:
    """The tables of one strategy, and the pictures above them; `key` is the anchor."""

    key: str
    name: str
    edge: str
    tables: tuple[Table, ...]

    @property
    def charts(self) -> list[Chart]:
        """Every picture."""
        return [chart for table in self.tables for chart in table.charts]


def deeper(result: StressResult, chosen: Sequence[int]) -> list[Evidence]:
    """The evidence of those strategies that were studied among some, which are named by their place from 0."""
    return [_of(result.strategies[at], at + 1) for at in chosen if result.strategies[at].edge is not None]


def edge_sentence(strategy: StrategyResult) -> str | None:
    """The label of edge and what it says; None where it was not asked."""
    if strategy.edge is None:
        return None
    label = strategy.edge["label"]
    return f"Edge: {label}. {EDGES[label]}"


def labels() -> Table:
    """How the real bars and the universes map to a label."""
    grid = edge_table()
    headings = ("The real bars", *(f"and the universes {_STANDINGS[name]}" for name in grid))
    rows = tuple((_STANDINGS[real], *line.values()) for real, line in grid.items())
    sentence = "An edge is claimed only where the real bars support it too; real origins can only take a claim back."
    return Table("evidence-labels", "How the edge is judged", sentence, headings, rows)


def together(result: StressResult) -> list[Table]:
    """What is known of all strategies of a run together."""
    found = result.studies.get("selection")
    return [_selection(found), *_overfitting(found)] if found else []


def _of(strategy: StrategyResult, at: int) -> Evidence:
    """The evidence of the strategy at a place, from 1."""
    assert strategy.edge is not None
    found, key = strategy.studies, f"strategy-{at}"
    made = [_edge(strategy.edge)]
    if found.get("fragility"):
        made.append(_fragility(found["fragility"]))
    made.append(_budget(strategy, key))
    if found.get("costs"):
        made.append(_costs(found["costs"], key))
    if found.get("horizon"):
        made.append(_horizon(found["horizon"], key))
    if found.get("shocks"):
        made.append(_shocks(found["shocks"], found.get("fragility"), key))
    if found.get("breaking"):
        made.append(_breaking(found["breaking"]))
    if found.get("contrasts"):
        made.append(_contrasts(found["contrasts"], key))
    if found.get("eras"):
        own = strategy.universes["probability_of_loss"]["value"]
        made += [_eras(found["eras"], own, key), _lives(found["eras"]["relived"], key)]
    named = tuple(replace(table, key=f"evidence-{at}-{table.key}") for table in made)
    return Evidence(f"evidence-{at}", clean(strategy.name), strategy.edge["label"], named)


def _edge(edge: Mapping[str, Any]) -> Table:
    asked = {
        "timing_in_universes": "In the universes: timing over the horizon, before costs",
        "timing_on_real_bars": "On the real bars: share of random orders of them that are as good",
        "timing_at_origins": "On what followed real origins: timing over the horizon, before costs",
    }
    answers = {True: "for it", False: "against it", None: "open"}
    rows = tuple(
        (
            asked[check["name"]],
            percent(check["value"]),
            interval(check["low"], check["high"]),
            answers[check["passed"]],
            check["note"],
        )
        for check in edge["checks"]
    )
    sentence = "Does it add anything beyond exposure? " + " ".join(edge["reasons"])
    return Table("edge", f"Edge: {edge['label']}", sentence, ("Where", "Value", "95% interval", "Speaks", "Note"), rows)


def _chance(cell: Mapping[str, Any]) -> str:
    return f"{share(cell['value'])}\n{interval(cell['low'], cell['high'])}"


def _figures(row: Mapping[str, Any]) -> tuple[str, ...]:
    deep = row["probability_of_drawdown"]
    return (
        _chance(row["probability_of_loss"]),
        share(deep["0.2"]["value"]),
        _chance(row["expected_shortfall_97_5"]),
        percent(row["median_return"], signed=True),
        share(row["time_under_water"]),
    )


_HEADINGS = ("P(loss)", "P(drawdown > 20%)", "Expected shortfall 97.5%", "Median return", "Time under water")


def _fragility(found: Mapping[str, Any]) -> Table:
    named = (("as generated", "as_generated"), ("without the shared drift", "drift_neutral"))
    rows = tuple((label, *_figures(found[key])) for label, key in named)
    against = found["against_buy_and_hold"]
    ahead = (
        f"Against buy and hold in the same universe it returns {percent(against['mean']['value'], signed=True)} on "
        f"average ({interval(against['mean']['low'], against['mean']['high'], signed=True)}), and more in "
        f"{share(against['better']['value'])} of them."
    )
    sentence = f"How bad does it get, and how much of that is drift that all universes share? {ahead}"
    return Table("fragility", "Fragility", sentence, ("Universes", *_HEADINGS), rows)


def _budget(strategy: StrategyResult, key: str) -> Table:
    found = budgets.headlines(strategy)
    parts = [name for name in reversed(budgets.PARTS) if any(one.range_of(name) for one in found)]
    rows = tuple(
        (one.name, one.read(one.budget.value), *(one.range_of(part) or UNDEFINED for part in parts)) for one in found
    )
    headings = ("Figure", "Value", *(f"{budgets.PARTS[part].capitalize()}" for part in parts))
    drawn = budgets.chart(found, f"{key}-budget")
    sentence = "" if drawn else f"{budgets.sentence(found)} "
    told = (
        f"{sentence}Chance is the error of so few universes. Generators are few and chosen by hand, so theirs is the "
        "range of what they say; that of origins is twice the spread between them, chance taken out. Only chance "
        "shrinks with more universes, so the parts are not added."
    )
    title = "The error of each figure in its parts"
    return Table("budget", title, told, headings, rows, () if drawn is None else (drawn,))


def _costs(rows: Sequence[Mapping[str, Any]], key: str) -> Table:
    cells = tuple((sensitivity.factor_name(row), *_figures(row)) for row in rows)
    sentence = "What if trading and borrowing were dearer than assumed, or free?"
    drawn = sensitivity.costs_chart(rows, key)
    return Table("sensitivity", "Sensitivity to costs", sentence, ("Costs", *_HEADINGS), cells, (drawn,))


def _horizon(found: Mapping[str, Any], key: str) -> Table:
    sentence = "What if one looked at the account earlier than at the end of the horizon?"
    headings = ("After", "Universes below the initial capital", "P(loss)", "95% interval")
    rows = tuple(sensitivity.horizon_rows(found))
    drawn = sensitivity.horizon_chart(found, key)
    return Table("horizon", "Sensitivity to the horizon", sentence, headings, rows, (drawn,))


def _shocks(rows: Sequence[Mapping[str, Any]], fragility: Mapping[str, Any] | None, key: str) -> Table:
    worst = max(rows, key=lambda row: row["probability_of_loss"]["value"] or 0.0)
    sentence = (
        f"What if, on top of the universes? The worst of these is {worst['label']}: it loses in "
        f"{share(worst['probability_of_loss']['value'])}."
    )
    cells = tuple((row["label"], *_figures(row)) for row in rows)
    drawn: tuple[Chart, ...] = ()
    if fragility:
        base = fragility["as_generated"]
        cells = ((f"none: {forest.BASE}", *_figures(base)), *cells)
        drawn = tuple(forest.shock_charts(base, rows, key))
    return Table("shocks", "Hypothetical shocks", sentence, ("Shock", *_HEADINGS), cells, drawn)


def _breaking(rows: Sequence[Mapping[str, Any]]) -> Table:
    first = rows[0]
    sentence = (
        f"What breaks it? Of the worst 5% of the universes, {share(first['of_worst'])} are a {first['name']}: "
        f"{first['meaning']}."
    )
    cells = tuple(
        (
            row["name"],
            row["meaning"],
            share(row["of_worst"]),
            _chance(row["of_universes"]),
            "–" if row["broken"]["value"] is None else share(row["broken"]["value"]),
            percent(row["mean_return"], signed=True),
            ", ".join(map(str, row["representatives"])) or UNDEFINED,
        )
        for row in rows
    )
    headings = (
        "Event",
        "What it is",
        "Of the worst",
        "Of all universes",
        "Break it",
        "Mean return",
        "Typical universe",
    )
    return Table("breaking", "Reverse stress", sentence, headings, cells)


def _contrasts(rows: Sequence[Mapping[str, Any]], key: str) -> Table:
    cells = tuple(
        (
            row["label"],
            _chance(row["probability_of_loss"]),
            percent(row["median_return"], signed=True),
            f"{percent(row['timing']['total']['value'], signed=True)}\n"
            f"{interval(row['timing']['total']['low'], row['timing']['total']['high'], signed=True)}",
            percent(row["against_buy_and_hold"]["mean"]["value"], signed=True),
            row["keeps"],
            row["lacks"],
        )
        for row in rows
    )
    headings = ("World", "P(loss)", "Median return", "Timing", "Over buy and hold", "It keeps", "It lacks")
    sentence = (
        "The same test in worlds of other generators, equally volatile: what differs is what the result lives on."
    )
    return Table("contrasts", "Other worlds", sentence, headings, cells, tuple(forest.world_charts(rows, key)))


def _eras(found: Mapping[str, Any], own: float, key: str) -> Table:
    rows = found["origins"]
    seen = {True: "yes", False: "no", None: UNDEFINED}
    cells = tuple(
        (
            row["origin"].removesuffix(" 00:00:00"),
            f"{row['trend']}, {row['volatility']}",
            _chance(row["probability_of_loss"]),
            percent(row["median_return"], signed=True),
            percent(row["realised_return"], signed=True),
            share(row["realised_percentile"]["value"]),
            seen[row["in_sample"]],
        )
        for row in rows
    )
    lost = sum(row["realised_return"] is not None and row["realised_return"] < 0 for row in rows)
    sentence = (
        f"The test from {len(rows)} dates of the history, worth {found['effective']:.2g} independent ones: what "
        f"really followed was a loss after {lost} of them."
    )
    headings = ("Origin", "Regime", "P(loss)", "Median return", "What followed", "Its rank", "Trained on it")
    drawn = tuple(timeline.origins_charts(found, own, key))
    return Table("origins", "Many origins", sentence, headings, cells, drawn)


def _lives(found: Mapping[str, Any], key: str) -> Table:
    names = {"total_return": "Total return", "max_drawdown": "Maximum drawdown"}
    cells = tuple(
        (
            names[key],
            *(
                percent(found[key]["quantiles"][level], signed=True)
                for level in ("0.05", "0.25", "0.5", "0.75", "0.95")
            ),
            percent(found[key]["real"], signed=True),
            share(found[key]["real_percentile"]["value"]),
        )
        for key in names
    )
    sentence = (
        f"One universe drawn for each of the {found['windows']} windows, {found['lives']:,} times: lives of "
        f"{found['bars']:,} bars that could have been. {share(found['probability_of_loss']['value'])} of them lost."
    )
    headings = ("Over all windows", "5%", "25%", "Median", "75%", "95%", "What happened", "Its rank")
    drawn = tuple(timeline.relived_charts(found, key))
    return Table("relived", "The backtest relived", sentence, headings, cells, drawn)


def _selection(found: Mapping[str, Any]) -> Table:
    ranked = sorted(found["deflated_sharpe"].items(), key=lambda item: -(item[1]["sharpe"] or -math.inf))
    kept = ranked[:MOST_SELECTED] if len(ranked) > MOST_SELECTED else found["deflated_sharpe"].items()
    rows = tuple(
        (
            clean(name),
            number(one["sharpe"]),
            share(one["probabilistic"]),
            share(one["deflated"]),
            number(one["skewness"]),
            number(one["kurtosis"]),
        )
        for name, one in kept
    )
    tried = f"{found['effective_trials']:.3g}"
    sentence = (
        f"The backtests on the real bars, discounted for being the best of {tried} trials: the probability that the "
        "true Sharpe ratio is above what the best of as many without skill would show."
    )
    headings = ("Strategy", "Sharpe of a bar", "Above 0, if alone", "Above luck's best", "Skewness", "Kurtosis")
    return Table("evidence-selection", "Selection", sentence, headings, rows)


def _overfitting(found: Mapping[str, Any]) -> list[Table]:
    if not found["overfitting"]:
        return []
    fit, test = found["overfitting"], found["superior_ability"]
    named = [clean(name) for name in test["superior"]]
    superior = ", ".join(named[:MOST_NAMED]) or "none"
    if len(named) > MOST_NAMED:
        superior = f"{superior} and {len(named) - MOST_NAMED:,} more"
    rows = (
        ("Probability of backtest overfitting", share(fit["probability"]), "0.5 for strategies without skill"),
        ("The best of one half loses in the other", share(fit["loss"]), f"of {fit['halvings']:,} ways to halve"),
        ("Hansen's test against buy and hold, p-value", share(test["consistent"]), f"better, all together: {superior}"),
    )
    sentence = "Does choosing the best of these strategies by its backtest choose anything?"
    return [Table("evidence-overfitting", "Overfitting", sentence, ("Question", "Answer", "Note"), rows)]
