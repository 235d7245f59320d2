"""A stress test as plain text for the terminal: the verdicts first, the evidence below.

Numbers and sentences come from `report.sections`, so that terminal and page cannot disagree.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.analysis.result_studies import WhatIf
from stresslab.metrics.measures import MEASURES
from stresslab.report.captions import measure_of
from stresslab.report.sections import kept_limits, notices, overview, provenance, realism, what_if
from stresslab.report.sections import strategy as evidence
from stresslab.report.sections.grid_ranking import discount, ranked
from stresslab.report.sections.studies import edge_sentence
from stresslab.report.wording import UNDEFINED, clean, measure, percent, probability, share, shares

WIDTH = 80
"""Columns of a terminal."""
LONGEST_NAME = 26
MOST_WARNINGS = 3
"""Warnings that a run prints when it is done; the rest are counted."""
QUANTILES = (("5%", "0.05"), ("25%", "0.25"), ("Median", "0.5"), ("75%", "0.75"), ("95%", "0.95"))


def render(result: StressResult) -> str:
    """What `print(result)` shows: lines of `WIDTH` columns at most (the gate's table may be wider)."""
    cash = result.init_cash
    several = len(result.strategies) > 1
    blocks = [*_discount(result), _overview(_in_order(result, range(len(result.strategies))))] if several else []
    roles = overview.roles(result)
    if len(roles) < len(result.strategies):
        blocks.append(
            wrapped(f"Of {len(result.strategies):,} strategies these follow: {', '.join(roles.values())}.", "")
        )
    blocks += [_strategy(result.strategies[at], cash) for at in roles]
    blocks += [_caution(result), *([_realism(result)] if result.realism else []), _run(result)]
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks)


def brief(result: StressResult) -> str:
    """What a run prints when it is done, on a screen: the answer, what it holds for, and what to know before use.

    Of one strategy it says what decides in sentences, of several in a table.
    """
    roles = overview.roles(result)
    shown = range(len(result.strategies)) if len(roles) == len(result.strategies) else roles
    blocks = [_overview(_in_order(result, shown))]
    if len(roles) < len(result.strategies):
        blocks[0] += wrapped(f"Of {len(result.strategies):,} strategies these: {', '.join(roles.values())}.", "")
    blocks = [*_discount(result), *blocks]
    chosen = _in_order(result, roles)
    if len(chosen) > 1:
        blocks += [_edges(chosen)]
        blocks += [lines for one in chosen if (lines := _asked(one, named=True))]
    else:
        blocks += [_decision(chosen[0])]
    blocks += [wrapped(evidence.conditions(result), ""), _warned(result)]
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block)


def _in_order(result: StressResult, places: Iterable[int]) -> list[StrategyResult]:
    """The strategies at some places: as given, or sets of a grid with the best on the real bars first."""
    chosen, order = set(places), ranked(result)
    return [result.strategies[at] for at in (order or range(len(result.strategies))) if at in chosen]


def _discount(result: StressResult) -> list[list[str]]:
    """What the best set of a grid is worth, above its table."""
    sentence = discount(result)
    return [wrapped(sentence, "", 2)] if sentence else []


def _decision(strategy: StrategyResult) -> list[str]:
    """The label with what decides it, what the edge says, P(loss) in every way, and what else was asked."""
    lines = wrapped(f"{shown_name(strategy)}: {strategy.verdict.label.upper()}. {strategy.verdict.reasons[0]}", "")
    edge = edge_sentence(strategy) or evidence.luck_sentence(strategy) or "Whether it has an edge was not asked."
    lines += wrapped(edge)
    return [*lines, *_edge_table(strategy), *_asked(strategy)]


def _edge_table(strategy: StrategyResult) -> list[str]:
    """The edge's probability and P(loss) without and with it, what chance makes of them, and other generators."""
    edge = strategy.edge
    if edge is None or edge.posterior is None or edge.losses is None:
        return []
    real, *losses = evidence.edge_figures(strategy)
    rows = [[f"{real.name} ({share(edge.required)} required)", real.value, "", ""]]
    for figure, row in zip(losses, (edge.losses.without, edge.losses.supported), strict=True):
        over = evidence.over_generators(edge.losses, row)
        rows.append([figure.name, figure.value, shares(row.probability_of_loss), over])
    return table(["", "", "95% interval", "over generators"], rows, left=1, indent="  ")


def _edges(strategies: Sequence[StrategyResult]) -> list[str]:
    """How probable each edge is, and P(loss) without and with it: the figures of the page, without their intervals."""
    rows = []
    for one in strategies:
        found = [figure.value for figure in evidence.edge_figures(one)]
        rows.append([shown_name(one), *found, *[UNDEFINED] * (3 - len(found))])
    without = sum(set(row[1:]) == {UNDEFINED} for row in rows)
    if without == len(rows):
        return []
    lines = table(["Strategy", "Edge is real", "P(loss) without an edge", "with its edge"], rows, left=1)
    note = f"{UNDEFINED} The edge of {without:,} of them was not assessed; `stresslab show` says why."
    return [*lines, *wrapped(note, "")] if without else lines


def _asked(strategy: StrategyResult, *, named: bool = False) -> list[str]:
    """What limits and shocks say, where they were asked."""
    lines = []
    if strategy.studies.limits is not None:
        lines += wrapped(f"Limits: {kept_limits.headline(strategy.studies.limits)}", "  ", 4)
    found = strategy.studies.what_if
    if found is not None and len(found.rows) + len(found.too_rare) > 2:  # more than stands in every result
        lines += [*([] if named else [""]), *_what_if(found)]
    return [f"{shown_name(strategy)}:", *lines] if lines and named else lines


def _warned(result: StressResult) -> list[str]:
    """The warnings, each by its first sentence."""
    found = [notice for notice in notices.notices(result) if notice.warning]
    lines = ["Before you rely on it:"] if found else []
    for notice in found[:MOST_WARNINGS]:
        sentence = re.split(r"(?<=[.!?]) (?=[A-Z0-9])", notice.text, maxsplit=1)[0]
        lines += wrapped(f"{notice.heading}: {sentence}", first="  - ", hanging=4)
    if len(found) > MOST_WARNINGS:
        lines.append(f"  - and {len(found) - MOST_WARNINGS} more")
    return lines


def _figure(figure: evidence.Figure) -> list[str]:
    """A key figure, its detail on the next line where it does not fit beside it."""
    return wrapped(f"{figure.name:<23} {figure.value:>7}   {figure.detail}", hanging=36)


def _overview(strategies: Sequence[StrategyResult]) -> list[str]:
    """One line per strategy; of a grid's sets with the backtest that they would be chosen by."""
    rows = []
    varied = sum(strategy.name.endswith("]") for strategy in strategies) > 1
    for strategy in strategies:
        loss, returns = strategy.universes.probability_of_loss, measure_of(strategy, "total_return")
        real = None if strategy.realised is None else strategy.realised_return
        rows.append(
            [
                shown_name(strategy),
                strategy.verdict.label.upper(),
                UNDEFINED if strategy.edge is None else strategy.edge.label,
                probability(loss),
                shares(loss),
                percent(returns.median, signed=True),
                percent(returns.quantile(0.05), signed=True),
                percent(real, signed=True),
                *([percent(strategy.backtest_return, signed=True)] if varied else []),
            ]
        )
    headings = ["Strategy", "Verdict", "Edge", "P(loss)", "95% interval", "Median", "5%", "Real"]
    return table([*headings, *(["Backtest"] if varied else [])], rows, left=3, spare=("5%", "Median", "Real"))


def _strategy(strategy: StrategyResult, cash: float) -> list[str]:
    """Verdict, reasons, key figures, checks and measures of one strategy."""
    luck, edge = evidence.luck_sentence(strategy), edge_sentence(strategy)
    asked = "" if strategy.edge is None else f", edge: {strategy.edge.label}"
    lines = [f"{shown_name(strategy)}: {strategy.verdict.label.upper()}{asked}"]
    for reason in [*strategy.verdict.reasons, *([luck] if luck else []), *([edge] if edge else [])]:
        lines += wrapped(reason)
    lines.append("")
    figures = [*evidence.edge_figures(strategy), *evidence.key_figures(strategy, cash)]
    lines += [line for figure in figures for line in _figure(figure)]
    answer, sentence = evidence.lookahead(strategy.lookahead)
    lines += ["", *_checks(strategy), *wrapped(f"{answer:<12} {sentence}", hanging=15)]
    if strategy.studies.what_if is not None:
        lines += ["", *_what_if(strategy.studies.what_if)]
    return [*lines, "", *_measures(strategy)]


def _what_if(found: WhatIf) -> list[str]:
    """The base case, conditions, shocks and crises, one line each."""
    rows = what_if.brief_rows(found)
    return table(what_if.BRIEF_HEADINGS, rows, left=1, indent="  ", spare=what_if.BRIEF_HEADINGS[-2:])


def _checks(strategy: StrategyResult) -> list[str]:
    rows = [[row.answer, row.name, row.value, row.interval, row.threshold] for row in evidence.checks(strategy.verdict)]
    return table(["Answer", "Check", "Value", "95% interval", "Threshold"], rows, left=2, indent="  ", spare=())


def _measures(strategy: StrategyResult) -> list[str]:
    """Quantiles of every measure, with the real outcome and the backtest beside them."""
    real = strategy.realised
    headings = ["Measure", *(heading for heading, _ in QUANTILES), *(["Real"] if real else []), "Backtest"]
    rows = []
    for name, row in MEASURES.items():
        quantiles = measure_of(strategy, name).quantiles
        cells = [measure(name, quantiles[level]) for _, level in QUANTILES]
        cells += [measure(name, real.get(name))] if real else []
        rows.append([row.label, *cells, measure(name, strategy.backtest.get(name))])
    return table(headings, rows, left=1, indent="  ", spare=("25%", "75%"))


def _caution(result: StressResult) -> list[str]:
    """Everything that the reader must know before relying on it."""
    lines = ["Before you rely on it"]
    for notice in notices.notices(result):
        lines += wrapped(f"{notice.heading}: {notice.text}", first="  - ", hanging=4)
    return lines


def _realism(result: StressResult) -> list[str]:
    """The gate's checks, one line each."""
    found = realism.evidence(result)
    rows = [[row.outcome, row.name, row.value, row.interval, row.acceptable] for row in found.rows]
    headings = ["Answer", "Check", "Value", "Interval", "Acceptable"]
    lines = [f"Realism of the universes: {found.label.upper()}"]
    return lines + (table(headings, rows, left=2, indent="  ", spare=()) if rows else [])


def _run(result: StressResult) -> list[str]:
    """Data, generator and size of the run."""
    data, config, day = result.data, result.config, provenance.day
    span, last = f"from {day(data.start)} to {day(data.end)}", day(result.fan.index[-1])
    rows = [
        ("Data", f"{data.symbol}, {data.bars:,} bars {span}, {data.calendar}"),
        (
            "Universes",
            f"{result.universes_count:,} of {provenance.horizon(result)}, after {day(result.origin)} to {last}",
        ),
        ("Generator", f"{provenance.generator_name(result)}, {provenance.sample_label(result)[0]}"),
        ("Costs", provenance.execution(config)),
        ("Seed", str(config.get("seed", UNDEFINED))),
    ]
    lines = ["Run"]
    for name, text in rows:
        lines += wrapped(f"{name:<11}{clean(text)}", hanging=13)
    return lines + [line for limit in provenance.LIMITS[:2] for line in ("", *wrapped(limit))]


def shown_name(strategy: StrategyResult) -> str:
    """The name on one line, shortened where it is very long; of a set of a grid the parameters, which tell it apart."""
    name = clean(strategy.name)
    if len(name) <= LONGEST_NAME:
        return name
    base, bracket, chosen = name.partition("[")
    ending = f"…{bracket}{chosen}" if bracket else "…"
    if len(ending) > LONGEST_NAME:
        return "…" + name[1 - LONGEST_NAME :]
    return base[: LONGEST_NAME - len(ending)] + ending


def wrapped(text: str, first: str = "  ", hanging: int = 2) -> list[str]:
    """A text as lines of at most `WIDTH` columns."""
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * hanging, break_on_hyphens=False)


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: int,
    indent: str = "",
    least: int = 0,
    spare: Sequence[str] | None = None,
    within: tuple[int, int] = (WIDTH, 1),
) -> list[str]:
    """Columns as wide as they need, the first `left` of them flush left.

    Args:
        headings: of the columns.
        rows: cells as text.
        left: columns that are flush left.
        indent: before each line.
        least: columns of text of the first column, at least.
        spare: headings of columns that are left out, one after the other, where the table is too wide although its
            columns stand closer together; None for a table that may be wider.
        within: its width, and the least room between columns.
    """
    kept = list(range(len(headings)))
    widths = [max(len(line[column]) for line in [headings, *rows]) for column in kept]
    widths[0] = max(widths[0], least)

    def width(gap: int) -> int:
        return len(indent) + sum(widths[column] for column in kept) + gap * (len(kept) - 1)

    for heading in spare or ():
        if width(within[1]) > within[0] and heading in headings:
            kept.remove(list(headings).index(heading))
    between = " " * (within[1] if spare is not None and width(2) > within[0] else 2)
    lines = []
    for line in [headings, *rows]:
        cells = [line[at].ljust(widths[at]) if at < left else line[at].rjust(widths[at]) for at in kept]
        lines.append(indent + between.join(cells))
    return lines
