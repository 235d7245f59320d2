"""What a change of the code did to the verdicts, in a few lines for the terminal.

The comparison is `analysis.compare`'s: strategies of the same name, universe by universe where runs share them.
"""

from __future__ import annotations

from stresslab.analysis.compare import Pair, compare
from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.report.captions import measure_of
from stresslab.report.formats.text import shown_name, table
from stresslab.report.wording import UNDEFINED, percent, probability


def changes(before: StressResult, after: StressResult) -> str:
    """A table of what is different now: verdict, edge, P(loss), median and 5% of the return, and in pairs by how much.

    Args:
        before: of the last run.
        after: of this one.
    """
    earlier = {one.name: one for one in before.strategies}
    pairs = {pair.second.strategy.name: pair for pair in compare([before, after]).pairs}
    rows = []
    for one in after.strategies:
        was = earlier.get(one.name)
        if was is None:
            rows.append([shown_name(one), "new", *[""] * 5])
        else:
            pair = pairs.get(one.name)
            rows.append([shown_name(one), *_cells(was, one), "" if pair is None else _difference(pair)])
    gone = [name for name in earlier if name not in {one.name for one in after.strategies}]
    rows += [[shown_name(earlier[name]), "gone", *[""] * 5] for name in gone]
    headings = ["Changed", "Verdict", "Edge", "P(loss)", "Median", "5%", "Mean in the same universes"]
    return "\n".join(line.rstrip() for line in table(headings, rows, left=3))


def _cells(was: StrategyResult, now: StrategyResult) -> list[str]:
    """What it was and what it is, or that it is the same."""
    sides = [
        (
            one.verdict.label.upper(),
            UNDEFINED if one.edge is None else one.edge.label,
            probability(one.universes.probability_of_loss),
            percent(measure_of(one, "total_return").median, signed=True),
            percent(measure_of(one, "total_return").quantile(0.05), signed=True),
        )
        for one in (was, now)
    ]
    return [old if old == new else f"{old} > {new}" for old, new in zip(*sides, strict=True)]


def _difference(pair: Pair) -> str:
    """How much the mean return changed, with its interval."""
    mean = pair.difference.mean
    if not pair.gaps.any():
        return "the same"
    return f"{percent(mean.value, signed=True)} ({percent(mean.low, signed=True)} to {percent(mean.high, signed=True)})"
