"""A result over several symbols: the portfolio beside its parts, correlations real and simulated, one rule on all."""

from __future__ import annotations

from collections.abc import Sequence

from stresslab.analysis.result_models import Estimate
from stresslab.analysis.result_symbols import (
    Diversification,
    OneRule,
    SymbolDependence,
    SymbolPart,
    Symbols,
    WorstUniverse,
)
from stresslab.report.charts import forest
from stresslab.report.sections.table import Table
from stresslab.report.wording import clean, interval, number, percent, share

DRAWN = 24
"""Symbols in a picture, at most: those with the worst shortfall."""
LISTED = 5
"""Symbols named with a worst universe, at most."""
NEVER = "–"
"""In place of the risk of a symbol that is never held."""
BREADTHS = {
    "general": "it stands without its best two symbols",
    "concentrated": "without its best two symbols, or with so few, it does not stand",
    "unproven": "timing as good comes about by chance",
}


def tables(found: Symbols, key: str) -> list[Table]:
    """The tables of a study of symbols.

    Args:
        found: the study.
        key: of the strategy's charts.
    """
    made = [_diversification(found.diversification), _parts(found.symbols, found.rule, key)]
    if found.rule:
        made.insert(0, _rule(found.rule, len(found.symbols)))
    if found.dependence.pairs:
        made.append(_pairs(found.dependence))
    return [*made, _worst(found.worst)]


def _rule(rule: OneRule, symbols: int) -> Table:
    sentence = (
        f"Is it one rule, or a few lucky symbols? {rule.breadth.capitalize()}: {BREADTHS[rule.breadth]}. The "
        f"{symbols} symbols move together on so many dates that they are worth {number(rule.effective_symbols)} "
        f"independent ones. A p-value is the share of {rule.permutations} random orders of the bars, the same for all "
        "symbols, in which the rule does as well; what it gets there by chance need not be 0."
    )
    headings = ("Timing on the real bars", "In units of its error", "p-value")
    rows = (
        ("all symbols, errors clustered by date", number(rule.together), number(rule.p_value)),
        ("without the best two", number(rule.without_best), number(rule.p_value_without_best)),
    )
    return Table("one-rule", "One rule, many symbols", sentence, headings, rows)


def _diversification(sides: Diversification) -> Table:
    labels = {
        "together": "the portfolio, as its parts came together",
        "independent": "if its parts knew nothing of one another",
        "at_once": "if all parts had their worst at once",
    }
    whole, apart, worst = (getattr(sides, name).expected_shortfall_97_5.value for name in labels)
    sentence = f"What is diversification worth?{_saved(whole, apart, worst)}"
    headings = ("Parts", "P(loss)", "95% interval", "Expected shortfall 97.5")
    rows = tuple(
        (
            label,
            share(getattr(sides, name).probability_of_loss.value),
            _ends(getattr(sides, name).probability_of_loss),
            percent(getattr(sides, name).expected_shortfall_97_5.value),
        )
        for name, label in labels.items()
    )
    return Table("diversification", "Portfolio and parts", sentence, headings, rows)


def _saved(whole: float | None, apart: float | None, worst: float | None) -> str:
    """What is left of diversification in the tail, of expected shortfalls together, independent and all at once."""
    if whole is None or apart is None or worst is None:
        return ""
    if not worst > apart:
        return " Nothing here: independent parts lose as much in the tail as parts that all fall at once."
    said = (
        f" In the worst 2.5% of the universes the parts lose {percent(whole)} together, {percent(apart)} if they were "
        f"independent, {percent(worst)} if all fell at once: "
    )
    if whole < apart:
        return f"{said}they hedge one another, so that together they lose less than independent parts would."
    kept = (worst - whole) / (worst - apart)
    return f"{said}in the tail, {percent(max(kept, 0.0))} of what independence would save is left."


def _parts(rows: Sequence[SymbolPart], rule: OneRule | None, key: str) -> Table:
    ordered = sorted(rows, key=lambda row: -(row.expected_shortfall_97_5.value or 0.0))
    held = [row for row in ordered if row.exposure]
    sentence = "Where does it come from? Contributions to the account's return"
    if held:
        worst = percent(held[0].expected_shortfall_97_5.value)
        sentence += f", the riskiest symbol first: {clean(held[0].symbol)} loses {worst} of the initial capital in its "
        sentence += "worst 2.5% of the universes"
    if len(held) < len(rows):
        sentence += f"; {len(rows) - len(held)} of {len(rows)} symbols are never held in the universes"
    sentence += "."
    headings = ["Symbol", "Exposure", "Backtest", "Mean", "P(loss)", "95% interval", "Expected shortfall 97.5"]
    if rule:
        headings.append("Timing, in units of its error")
    cells = tuple(
        (
            clean(row.symbol),
            percent(row.exposure),
            percent(row.backtest, signed=True),
            percent(row.mean, signed=True),
            *(_risks(row) if row.exposure else [NEVER] * 3),
            *([number(row.timing)] if rule else []),
        )
        for row in ordered
    )
    named = [(clean(row.symbol), row.probability_of_loss) for row in held[:DRAWN]]
    drawn = forest.forest(
        named, f"{key}-symbols", "P(loss) by symbol",
        f"How often each symbol's part of the account ends below zero; {len(named)} of {len(rows)} symbols, the "
        "riskiest first.", "P(loss)", share,
    )  # fmt: skip
    orders = tuple(
        (
            row.exposure, row.backtest, row.mean, row.probability_of_loss.value, row.probability_of_loss.low,
            row.expected_shortfall_97_5.value, *([row.timing] if rule else []),
        )
        for row in ordered
    )  # fmt: skip
    return Table(
        "symbols", "Contributions by symbol", sentence, tuple(headings), cells, (drawn,) if named else (), orders=orders
    )


def _risks(row: SymbolPart) -> list[str]:
    """P(loss), its interval and the shortfall of a symbol that is held."""
    return [
        share(row.probability_of_loss.value), _ends(row.probability_of_loss), percent(row.expected_shortfall_97_5.value)
    ]  # fmt: skip


def _pairs(found: SymbolDependence) -> Table:
    sentence = (
        f"Do they move together as they did? Over {found.bars:,} real bars and all universes, correlations of "
        f"one-bar returns differ by {number(found.correlation_error)} on average, and pairs have their worst 5% "
        f"together {number(found.joint_losses_ratio)} times as often as they really had."
    )
    headings = ("Pair", "Correlation, real", "simulated", "Joint losses, real", "simulated")
    rows = tuple(
        (
            f"{clean(row.first)} and {clean(row.second)}",
            number(row.correlation_real),
            number(row.correlation_simulated),
            percent(row.joint_losses_real),
            percent(row.joint_losses_simulated),
        )
        for row in found.pairs
    )
    return Table("correlations", "Correlations, real and simulated", sentence, headings, rows)


def _worst(rows: Sequence[WorstUniverse]) -> Table:
    sentence = (
        "What do its worst universes look like? Each with what symbols took from the account or brought to it, the "
        f"largest loss first, {LISTED} at most."
    )
    cells = tuple(
        (
            str(row.universe),
            percent(row.total_return, signed=True),
            ", ".join(
                f"{clean(name)} {percent(part, signed=True)}"
                for name, part in sorted(row.contributions.items(), key=lambda one: one[1] or 0.0)[:LISTED]
                if part
            ),
        )
        for row in rows
    )
    return Table("worst-joint", "Worst joint universes", sentence, ("Universe", "Return", "By symbol"), cells)


def _ends(found: Estimate) -> str:
    return interval(found.low, found.high)
