"""Runs beside each other, as text for the terminal and as a page.

What is comparable is decided in `stresslab.analysis.compare`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stresslab.analysis.compare import Comparison, Entry, Pair
from stresslab.report.captions import measure_of
from stresslab.report.charts import fans_and_histograms
from stresslab.report.charts.chart import Chart
from stresslab.report.formats import text
from stresslab.report.formats.html import Draw, environment
from stresslab.report.sections import overview, provenance
from stresslab.report.sections.realism import evidence as realism_of
from stresslab.report.wording import (
    GLYPHS,
    UNDEFINED,
    clean,
    number,
    percent,
    plain_value,
    probability,
    share,
    shares,
    shortened,
)

HEADINGS = (
    "Edge", "P(loss)", "95% interval", "without an edge", "with its edge", "Median annual return", "Median Sharpe",
)  # fmt: skip
GROWING = ("Median return", "5% quantile", "ES 97.5", "Median drawdown")
"""Headings of what grows with the horizon, shown where all runs have the same."""
SPARE = ("Median Sharpe", "Median annual return", "Median drawdown", "ES 97.5", "5% quantile", "Median return")
UNLIKE_SPARE = ("with its edge", "without an edge")
"""What a terminal may leave out of runs that compare, and of those of which annual figures alone do."""
UNLIKE = (
    "The runs do not cover the same number of bars of the same kind: returns, drawdowns and P(loss) grow or shrink "
    "with them, so only annual figures stand side by side, and P(loss) does not compare."
)


@dataclass(frozen=True)
class PairedRow:
    """A paired comparison as people read it."""

    first: str
    second: str
    difference: str
    interval: str
    better: str
    better_interval: str
    spared: str
    worse: str
    chart: Chart


def headings(found: Comparison) -> list[str]:
    """Of the overview's numbers."""
    return [*HEADINGS, *(GROWING if found.same_horizon else ())]


def cells(entry: Entry, found: Comparison) -> list[overview.Cell]:
    """A strategy's numbers in the overview."""
    one = entry.strategy
    loss, returns = one.universes.probability_of_loss, measure_of(one, "total_return")
    annual = measure_of(one, "annual_return").median
    sharpe = measure_of(one, "sharpe").median
    row = [
        overview.Cell(UNDEFINED if one.edge is None else one.edge.label),
        overview.Cell(probability(loss), loss.value),
        overview.Cell(shares(loss)),
        *overview.losses(one),
        overview.Cell(percent(annual, signed=True), annual),
        overview.Cell(number(sharpe), sharpe),
    ]
    if found.same_horizon:
        middle, low, tail = (
            returns.median,
            returns.quantile(0.05),
            returns.expected_shortfall_97_5,
        )
        fall = measure_of(one, "max_drawdown").median
        row += [
            overview.Cell(percent(middle, signed=True), middle),
            overview.Cell(percent(low, signed=True), low),
            overview.Cell(percent(tail), tail),
            overview.Cell(percent(fall), fall),
        ]
    return row


def lines(found: Comparison) -> list[PairedRow]:
    """The paired comparisons."""
    return [_paired_row(pair, f"pair-{at}") for at, pair in enumerate(found.pairs, start=1)]


def _paired_row(pair: Pair, key: str) -> PairedRow:
    mean, better = pair.difference.mean, pair.difference.better
    first, second = clean(pair.first.name), clean(pair.second.name)
    known = mean.low > float("-inf")
    interval = f"{percent(mean.low, signed=True)} to {percent(mean.high, signed=True)}" if known else UNDEFINED
    return PairedRow(
        first=first,
        second=second,
        difference=percent(mean.value, signed=True),
        interval=interval,
        better=share(better.value),
        better_interval=f"{share(better.low)} to {share(better.high)}",
        spared=share(pair.spared.value),
        worse=share(pair.worse.value),
        chart=fans_and_histograms.difference_chart(pair.gaps, key, f"{second} less {first}"),
    )


def _facts(found: Comparison) -> list[tuple[str, list[str]]]:
    """What each run is: its folder, bars, origin, size, generator and realism."""
    rows = []
    for letter, result in found.runs.items():
        rows.append(
            (
                letter,
                [
                    clean(found.folders[letter]) if found.folders[letter] else UNDEFINED,
                    clean(str(result.data.symbol)),
                    provenance.day(result.origin),
                    f"{result.universes_count:,} of {result.horizon:,} bars",
                    str(result.config.get("seed", UNDEFINED)),
                    provenance.generator_name(result),
                    realism_of(result).label,
                ],
            )
        )
    return rows


def _differing(found: Comparison) -> list[tuple[str, list[str]]]:
    return [
        (clean(name).replace("_", " "), [plain_value(value) for value in row.values()])
        for name, row in found.differing.items()
    ]


def _verdict_on_pairing(found: Comparison) -> list[str]:
    """Which runs are paired with the first, and why others are not."""
    first, *others = found.runs
    sentences = []
    paired = [letter for letter in others if letter not in found.unpaired]
    if paired:
        sentences.append(
            f"{', '.join([first, *paired])} share their universes, so strategies are compared universe by universe."
        )
    sentences += [
        f"{letter} is not paired with {first}, but stands beside it: {clean(why)}."
        for letter, why in found.unpaired.items()
    ]
    return sentences + ([] if found.same_horizon else [UNLIKE])


def render_text(found: Comparison) -> str:
    """What `stresslab compare` prints: lines of at most 100 columns where names allow."""
    facts = [[letter, *cells] for letter, cells in _facts(found)]
    blocks = [
        text.table(["Run", "Folder", "Bars", "Origin", "Universes", "Seed", "Generator", "Realism"], facts, left=8),
        [line for sentence in _verdict_on_pairing(found) for line in text.wrapped(sentence, first="", hanging=0)],
    ]
    rows = [
        [
            one.run,
            text.shown_name(one.strategy),
            one.strategy.verdict.label.upper(),
            *(cell.text for cell in cells(one, found)),
        ]
        for one in found.entries
    ]
    spare = SPARE if found.same_horizon else UNLIKE_SPARE
    blocks.append(
        text.table(["Run", "Strategy", "Verdict", *headings(found)], rows, left=4, spare=spare, within=(100, 2))
    )
    paired = [[x.second, x.first, x.difference, x.interval, x.better, x.worse, x.spared] for x in lines(found)]
    if paired:
        names = ["Strategy", "against", "Mean", "95% interval", "Better in", "Alone loses", "Other loses"]
        note = (
            "Differences of the total return in the same universe; alone loses: where it loses and the other does not."
        )
        blocks.append([*text.table(names, paired, left=2), *text.wrapped(note, first="", hanging=0)])
    differing = _differing(found)
    if differing:
        rows = [[name, *(shortened(value, 24) for value in row)] for name, row in differing]
        blocks.append(text.table(["What differs", *found.runs], rows, left=1 + len(found.runs)))
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks)


def render_page(found: Comparison, *, draw: Draw | None = None) -> str:
    """The comparison as a page of its own."""
    shown: dict[str, Any] = {
        "runs": list(found.runs),
        "facts": _facts(found),
        "sentences": _verdict_on_pairing(found),
        "headings": headings(found),
        "entries": [
            {
                "run": one.run,
                "name": clean(one.strategy.name),
                "label": one.strategy.verdict.label,
                "glyph": GLYPHS[one.strategy.verdict.label],
                "loss": one.strategy.universes.probability_of_loss.value,
                "cells": cells(one, found),
            }
            for one in found.entries
        ],
        "lines": lines(found),
        "differing": _differing(found),
        "limits": provenance.LIMITS,
    }
    return environment().get_template("compare.html.j2").render(shown, picture=draw)
