"""The evidence below the verdict: edge, fragility, error budget, shocks, what broke it, other generators, origins.

Each table begins with one sentence that says what to see in it; pictures stand above it where they show more. The
figures are those of `result.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.analysis.result_models import Check, Edge, PlantedLosses
from stresslab.analysis.result_studies import (
    AlternativeGenerator,
    ChainedPaths,
    Fragility,
    GeneratorSweep,
    RandomTiming,
    ReverseStress,
    WalkForward,
)
from stresslab.report.charts import error_budget, forest, loss_intervals, walk_forward
from stresslab.report.charts.candles import universe_chart
from stresslab.report.charts.chart import Chart, stamp_texts
from stresslab.report.sections import sensitivity, symbols, what_if
from stresslab.report.sections.table import HEADINGS, Table, chance, figures, share, versus
from stresslab.report.wording import UNDEFINED, interval, percent

EDGES: Mapping[str, str] = {
    "yes": "The real bars support that its timing adds to its exposure.",
    "no": "On the real bars an edge worth having is unlikely.",
    "unclear": "The real bars cannot tell its timing from luck.",
}
"""What the labels of edge say."""


OPEN = ("edge", "losses", "tornado")
"""Tables that are unfolded at first where there is one strategy."""
BRIEF = OPEN
"""Tables of the PDF."""


@dataclass(frozen=True)
class Setting:
    """What the evidence of every strategy needs of the run.

    Attributes:
        cash: that an account begins with.
        stamps: of the origin and the horizon.
        settings: what those of the generator do to realism; None where they were not turned.
        alone: whether there is one strategy, whose most important tables are unfolded.
    """

    cash: float
    stamps: list[str]
    settings: GeneratorSweep | None
    alone: bool

    @classmethod
    def of(cls, result: StressResult) -> Setting:
        """What the studies of a result need."""
        stamps = stamp_texts(result.fan.index.insert(0, result.origin))
        return cls(result.init_cash, stamps, result.studies.generator_sweep, len(result.strategies) == 1)


def negative(edge: Edge | None) -> bool:
    """Whether the real bars show timing that costs money and makes losses likelier, which nobody would call an edge."""
    if edge is None or edge.posterior is None or edge.losses is None or edge.posterior.mean >= 0:
        return False
    without, planted = (side.probability_of_loss.value for side in (edge.losses.without, edge.losses.supported))
    return planted > without


def edge_sentence(strategy: StrategyResult) -> str | None:
    """The label of edge and what it says; None where it was not asked."""
    edge = strategy.edge
    if edge is None:
        return None
    said = [] if edge.label == "unclear" and edge.posterior is None else [EDGES[edge.label]]  # not tested: no evidence
    return " ".join([f"Edge: {edge.label}.", *said, *edge.reasons])


def labels() -> Table:
    """How edge and losses map to a label."""
    headings = ("P(loss)", "edge supported", "edge not supported")
    rows = (
        ("at most 10%", "robust", "fragile: what it earns is exposure"),
        ("between", "fragile", "fragile"),
        ("at least 50%", "losing: the edge does not carry its costs", "lucky where history won, else losing"),
        ("its interval holds the threshold", "inconclusive", "inconclusive"),
        ("one with and one without the edge", "", "inconclusive: all turns on whether the edge is real"),
    )
    sentence = (
        "Real bars decide the edge; universes say what follows from it. With a supported edge P(loss) is the one with "
        "it, else the one without; both have to agree where an edge is open and more likely than 75%. Too little "
        "exposure or untrusted universes are inconclusive."
    )
    return Table("evidence-labels", "How the label follows", sentence, headings, rows)


def tables(strategy: StrategyResult, at: int, about: Setting) -> tuple[Table, ...]:
    """The evidence of the strategy at a place, from 1; none for one that was not studied."""
    if strategy.edge is None:
        return ()
    found, key = strategy.studies, f"strategy-{at}"
    made = [_edge(strategy.edge)]
    if strategy.edge.losses:
        made.append(_losses(strategy.edge.losses, strategy.edge))
    if found.fragility:
        made.append(_fragility(found.fragility))
    if found.random_timing:
        made.append(_random_timing(found.random_timing))
    if found.symbols:
        made = [*symbols.tables(found.symbols, key), *made]
    made.append(_budget(strategy, key))
    made += sensitivity.tables(found, about.settings, key)
    if found.what_if and (asked := what_if.table(found.what_if, key)):
        made.append(asked)
    if found.reverse_stress:
        made.append(_reverse_stress(found.reverse_stress, _typical(strategy, key, about)))
    if found.alternative_generators:
        made.append(_alternative_generators(found.alternative_generators, key))
    if found.walk_forward:
        own = strategy.universes.probability_of_loss.value
        made += [_walk_forward(found.walk_forward, own, key), _chained_paths(found.walk_forward.chained_paths, key)]
    return tuple(
        replace(
            table,
            key=f"evidence-{at}-{table.key}",
            open=about.alone and table.key in OPEN,
            brief=table.key in BRIEF,
        )
        for table in made
    )


def _edge(edge: Edge) -> Table:
    asked = {
        "edge_is_real": "Probability that the edge is real, after selection",
        "timing_on_real_bars": "On the real bars: share of random orders of them that are as good, after selection",
        "timing_on_fresh_bars": "On bars after it was frozen: p-value, every look paid for",
        "timing_at_origins": "On what followed real origins: timing over the horizon, before costs (described only)",
        "timing_in_universes": "In the universes: timing over the horizon, before costs (described only)",
    }
    rows = tuple(
        (
            asked[check.name],
            _of_edge(check),
            interval(check.low, check.high),
            _answer(check, edge),
            check.note,
        )
        for check in edge.checks
    )
    sentence = "Does it add anything beyond exposure? " + " ".join(edge.reasons)
    return Table("edge", f"Edge: {edge.label}", sentence, ("Where", "Value", "95% interval", "Answer", "Note"), rows)


def _answer(check: Check, edge: Edge) -> str:
    """What one of its checks says; what was not assessed is not open."""
    if check.note.startswith("not assessed"):
        return "not assessed"
    if check.passed is None:
        return "open"
    if not check.passed and check.name == "edge_is_real" and edge.posterior:
        return "too small to matter"  # what is excluded is an edge that is worth having
    return "supports" if check.passed else "excludes"


def _of_edge(check: Check) -> str:
    """The value of one of its checks; a p-value next to 1 as its note has it."""
    near = check.name == "timing_on_real_bars" and check.value is not None and 0.999 < check.value < 1
    return "> 99.9%" if near else percent(check.value)


def _losses(found: PlantedLosses, edge: Edge) -> Table:
    below = "timing as the real bars leave it, negative on average"
    planted = below if negative(edge) else "the edge that the real bars support"
    rows = tuple(
        (label, *figures(side)) for label, side in (("timing worth nothing", found.without), (planted, found.supported))
    )
    own = UNDEFINED if found.own_timing is None else f"{found.own_timing:.2f}"
    shortest = found.shortest_robust_horizon
    reach = (
        "At no horizon could it be called robust, as uncertain as its edge is."
        if shortest is None
        else f"It could be called robust at horizons of {shortest:,} bars and more."
    )
    sentence = (
        "Each universe draws its edge from what the real bars leave possible, so that estimation error is inside the "
        f"second row. The generator's own timing, an annual Sharpe ratio of {own}, is taken out of both. {reach}"
    )
    return Table("losses", "With and without the edge", sentence, ("Universes", *HEADINGS), rows)


def _fragility(found: Fragility) -> Table:
    named = (("as generated", found.as_generated), ("without the shared drift", found.drift_neutral))
    rows = tuple((label, *figures(part)) for label, part in named)
    against = found.against_buy_and_hold
    ahead = (
        f"Against buy and hold in the same universe it returns {percent(against.mean.value, signed=True)} on "
        f"average ({interval(against.mean.low, against.mean.high, signed=True)}); "
        f"{versus(against, 'more', 'the same', 'less')}."
    )
    sentence = f"How bad does it get, and how much of that is drift that all universes share? {ahead}"
    return Table("fragility", "Fragility", sentence, ("Universes", *HEADINGS), rows)


def _random_timing(found: RandomTiming) -> Table:
    ahead = found.difference
    sentence = (
        "What would the same positions earn at times that know nothing of the path? Each universe gets those of "
        "another: as much exposure, as many trades, before costs. Its own timing makes a difference of "
        f"{percent(ahead.mean.value, signed=True)} to the mean return "
        f"({interval(ahead.mean.low, ahead.mean.high, signed=True)}); "
        f"{versus(ahead, 'better', 'the same', 'worse')}."
    )
    rows = tuple(
        (
            label,
            chance(side.probability_of_loss),
            chance(side.expected_shortfall_97_5),
            percent(side.median_return, signed=True),
        )
        for label, side in (("its own timing", found.own), ("random timing", found.random))
    )
    headings = ("Positions", "P(loss) before costs", "Expected shortfall 97.5%", "Median return")
    return Table("random", "Against random timing", sentence, headings, rows)


def _budget(strategy: StrategyResult, key: str) -> Table:
    found = error_budget.headlines(strategy)
    parts = [name for name in reversed(error_budget.PARTS) if any(one.range_of(name) for one in found)]
    rows = tuple(
        (one.name, one.read(one.budget.value), *(one.range_of(part) or UNDEFINED for part in parts)) for one in found
    )
    headings = ("Figure", "Value", *(f"{error_budget.PARTS[part].capitalize()}" for part in parts))
    limits = [check.threshold for check in strategy.verdict.checks if check.name in loss_intervals.LIMITS]
    drawn = error_budget.chart(found, f"{key}-budget", [limit for limit in limits if limit is not None])
    sentence = "" if drawn else f"{error_budget.sentence(found)} "
    lead = (
        f"{sentence}Chance is the error of so few universes. Generators are few and chosen by hand, so theirs is the "
        "range of what they say; that of origins is twice the spread between them, chance taken out. Only chance "
        "shrinks with more universes, so the parts are not added."
    )
    title = "Error of each figure in parts"
    return Table("budget", title, lead, headings, rows, () if drawn is None else (drawn,))


def _reverse_stress(rows: Sequence[ReverseStress], drawn: Sequence[Chart]) -> Table:
    first = rows[0]
    sentence = (
        f"What breaks it? Of the worst 5% of the universes, {share(first.of_worst)} are a {first.name}: "
        f"{first.meaning}."
    )
    cells = tuple(
        (
            row.name,
            row.meaning,
            share(row.of_worst),
            chance(row.of_universes),
            "–" if row.broken.value is None else share(row.broken.value),
            percent(row.mean_return, signed=True),
            ", ".join(map(str, row.representatives)) or UNDEFINED,
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
    return Table("breaking", "Reverse stress", sentence, headings, cells, tuple(drawn))


def _typical(strategy: StrategyResult, key: str, about: Setting) -> list[Chart]:
    """The most central universe of each event among the worst, bar by bar."""
    found = [
        universe_chart(
            strategy,
            number,
            f"{key}-typical-{number}",
            f"{'A typical ' + row.name if row.name != 'other' else 'Lost otherwise'}, universe {number:,}",
            about.cash,
            about.stamps,
        )
        for row in strategy.studies.reverse_stress or ()
        for number in row.representatives[:1]
    ]
    return [chart for chart in found if chart is not None]


def _alternative_generators(rows: Sequence[AlternativeGenerator], key: str) -> Table:
    cells = tuple(
        (
            row.label,
            chance(row.probability_of_loss),
            percent(row.median_return, signed=True),
            f"{percent(row.timing.total.value, signed=True)}\n"
            f"{interval(row.timing.total.low, row.timing.total.high, signed=True)}",
            percent(row.against_buy_and_hold.mean.value, signed=True),
            row.keeps,
            row.lacks,
        )
        for row in rows
    )
    headings = ("Generator", "P(loss)", "Median return", "Timing", "Over buy and hold", "It keeps", "It lacks")
    sentence = (
        "The same test with other generators of equal volatility: where figures differ shows what the result depends "
        "on."
    )
    return Table(
        "contrasts", "Alternative generators", sentence, headings, cells, tuple(forest.alternative_charts(rows, key))
    )


def _walk_forward(found: WalkForward, own: float, key: str) -> Table:
    rows = found.origins
    seen = {True: "yes", False: "no", None: UNDEFINED}
    cells = tuple(
        (
            row.origin.removesuffix(" 00:00:00"),
            f"{row.trend}, {row.volatility}",
            chance(row.probability_of_loss),
            percent(row.median_return, signed=True),
            percent(row.realised_return, signed=True),
            share(row.realised_percentile.value),
            seen[row.in_sample],
        )
        for row in rows
    )
    lost = sum(row.realised_return is not None and row.realised_return < 0 for row in rows)
    sentence = (
        f"The test from {len(rows)} dates of the history, worth {found.effective or 0:.2g} independent ones: what "
        f"really followed was a loss after {lost} of them."
    )
    headings = ("Origin", "Regime", "P(loss)", "Median return", "What followed", "Its rank", "Trained on it")
    drawn = tuple(walk_forward.origins_charts(found, own, key))
    return Table("origins", "Walk-forward", sentence, headings, cells, drawn)


def _chained_paths(found: ChainedPaths, key: str) -> Table:
    measured = (("Total return", found.total_return), ("Maximum drawdown", found.max_drawdown))
    cells = tuple(
        (
            name,
            *(percent(one.quantile(level), signed=True) for level in (0.05, 0.25, 0.5, 0.75, 0.95)),
            percent(one.real, signed=True),
            share(one.real_percentile.value),
        )
        for name, one in measured
    )
    sentence = (
        f"One universe is sampled for each of the {found.windows} windows and chained, {found.paths:,} times: paths of "
        f"{found.bars:,} bars that could have been. {share(found.probability_of_loss.value)} of them lost."
    )
    headings = ("Over all windows", "5%", "25%", "Median", "75%", "95%", "What happened", "Its rank")
    drawn = tuple(walk_forward.chained_charts(found, key))
    return Table("relived", "Chained paths", sentence, headings, cells, drawn)
