"""One strategy's page: its verdict, key figures, charts, checks and tables as the template sets them.

The charts come from `report.charts`; `provenance` says where the run came from and what it assumes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.analysis.result_models import Distribution, LookAhead, Losses, PlantedLosses, Verdict
from stresslab.metrics.distribution import wilson
from stresslab.metrics.measures import MEASURES
from stresslab.metrics.paired import TIE
from stresslab.report import wording
from stresslab.report.captions import measure_of
from stresslab.report.charts import candles, fans_and_histograms
from stresslab.report.charts.chart import Chart
from stresslab.report.charts.tear_sheet import rolling_sharpe_chart
from stresslab.report.charts.track_record import falls_chart, track_chart
from stresslab.report.sections import backtest, provenance, realism
from stresslab.report.sections.overview import OverviewRow, losses, overview_row, roles
from stresslab.report.sections.studies import Setting, edge_sentence, negative, tables
from stresslab.report.sections.table import Table
from stresslab.report.wording import clean, money, number, percent, share

TAILS = (("value_at_risk_95", "VaR 95"), ("value_at_risk_99", "VaR 99"), ("expected_shortfall_97_5", "ES 97.5"))
SIGNS = {
    "exposed_universes": "≥", "probability_of_loss_robust": "≤", "probability_of_loss_lucky": "<", "backtest_won": ">",
}  # fmt: skip
"""How a value that passes compares with the threshold, by check."""
UNUSUAL = 0.95
"""Share of universes beyond which the real outcome is called an unusual draw."""


@dataclass(frozen=True)
class Figure:
    """A key figure: what it is, how much, and the rest that belongs beside it."""

    name: str
    value: str
    detail: str


@dataclass(frozen=True)
class CheckRow:
    """A check of the verdict as people read it; `style` is its answer as a class."""

    name: str
    value: str
    interval: str
    threshold: str
    answer: str
    style: str
    note: str


@dataclass(frozen=True)
class StrategyPage(OverviewRow):
    """Everything that the page shows of one strategy."""

    reasons: tuple[str, ...]
    edge_sentence: str
    role: str
    loss: Figure
    deciding: list[Figure]
    conditions: str
    figures: list[Figure]
    luck: str
    track: list[Chart]
    past: tuple[Table, ...]
    distributions: list[Chart]
    followed: Chart | None
    worst: list[Chart]
    checks: list[CheckRow]
    tails: list[tuple[str, list[str]]]
    measures: list[tuple[str, str, list[str]]]
    parameters: str
    lookahead: tuple[str, str]
    tables: tuple[Table, ...]
    has_realised: bool

    @property
    def charts(self) -> list[Chart]:
        """Every chart of the page."""
        studied = [chart for table in self.tables for chart in table.charts]
        followed = [self.followed] if self.followed else []
        return [*self.track, *self.distributions, *followed, *self.worst, *studied]


MEASURE_COLUMNS = ("Mean", "1%", "5%", "25%", "Median", "75%", "95%", "99%")


def strategy_pages(result: StressResult) -> list[StrategyPage]:
    """The page of every strategy that has one."""
    setting, shown = Setting.of(result), conditions(result)
    return [strategy_page(result.strategies[at], at + 1, setting, (role, shown)) for at, role in roles(result).items()]


def conditions(result: StressResult) -> str:
    """Under what the figures hold, in a line: horizon, universes, generator, its training and realism, and costs."""
    bars = f"{provenance.horizon(result)} after {provenance.day(result.origin)}"
    training, _ = provenance.sample_label(result)
    count = f"{result.universes_count:,} {'universe' if result.universes_count == 1 else 'universes'}"
    generator = f"{provenance.generator_name(result)} ({training}), realism: {realism.evidence(result).label}"
    seed = f"; seed {seed}" if (seed := result.config.get("seed")) is not None else ""
    return f"Holds for {bars}; {count} of {generator}; {provenance.execution(result.config)}{seed}."


def answer(strategy: StrategyResult) -> str:
    """What a run said of a strategy, in a line: label, edge, and P(loss) as generated, without and with the edge."""
    edge = wording.UNDEFINED if strategy.edge is None else strategy.edge.label
    without, planted = (cell.text for cell in losses(strategy))
    loss = wording.probability(strategy.universes.probability_of_loss)
    planted = f"{planted} with its {timing_name(strategy)}"
    apart = "" if without == wording.UNDEFINED else f", {without} without an edge, {planted}"
    return f"{strategy.verdict.label}, edge: {edge}, P(loss) {loss} as generated{apart}"


def strategy_page(
    strategy: StrategyResult, position: int, setting: Setting, about: tuple[str, str] = ("", "")
) -> StrategyPage:
    """The page of the strategy at a position, from 1.

    Args:
        strategy: whose.
        position: in the result.
        setting: what its charts and tables need of the run.
        about: what singles it out among many, and under what its figures hold.
    """
    role, shown = about
    key = f"strategy-{position}"
    init_cash, stamps = setting.cash, setting.stamps
    edge, rest = edge_figures(strategy), key_figures(strategy, init_cash)
    loss, *others = rest
    deciding = edge or others[:3]
    return StrategyPage(
        **vars(overview_row(strategy, position - 1, True)),
        reasons=strategy.verdict.reasons,
        edge_sentence=edge_sentence(strategy) or "",
        role=role,
        loss=loss,
        deciding=deciding,
        conditions=shown,
        figures=[one for one in others if one not in deciding],
        luck=luck_sentence(strategy),
        track=[
            drawn
            for draw in (track_chart, falls_chart, rolling_sharpe_chart)
            if (drawn := draw(strategy, key)) is not None
        ],
        past=backtest.tables(strategy, key),
        distributions=distributions(strategy, key, init_cash, stamps),
        followed=candles.followed_chart(strategy, key, init_cash, stamps),
        worst=candles.worst_charts(strategy, key, init_cash, stamps),
        checks=checks(strategy.verdict),
        tails=tails(strategy),
        measures=measure_rows(strategy),
        parameters=wording.plain_value(strategy.parameters) if strategy.parameters else "",
        lookahead=lookahead(strategy.lookahead),
        tables=tables(strategy, position, setting),
        has_realised=strategy.realised is not None,
    )


def distributions(strategy: StrategyResult, key: str, init_cash: float, stamps: list[str]) -> list[Chart]:
    """The charts of a strategy over all universes: profit and loss, drawdown, account, time under water."""
    return [
        fans_and_histograms.pnl_chart(strategy, key, init_cash),
        fans_and_histograms.drawdown_chart(strategy, key),
        fans_and_histograms.equity_chart(strategy, key, init_cash, stamps),
        fans_and_histograms.underwater_chart(strategy, key),
    ]


def edge_figures(strategy: StrategyResult) -> list[Figure]:
    """Is it luck or logic, how sure, and what follows: the edge's probability and P(loss) twice."""
    found = strategy.edge
    if found is None or found.posterior is None:
        return []
    trials = found.trials
    best = f"best of {trials.count:.3g} trials{' assumed' if trials.assumed else ''}"
    required = f"probability · {share(found.required)} required · {best}"
    figures = [Figure("The edge is real", share(found.posterior.probability), required)]
    if found.losses is None:
        return figures
    for label, row in (
        ("P(loss) without an edge", found.losses.without),
        (f"P(loss) with its {timing_name(strategy)}", found.losses.supported),
    ):
        loss, over = row.probability_of_loss, over_generators(found.losses, row)
        beside = "no other generator fits" if over == wording.UNDEFINED else f"generators {over}"
        detail = f"chance {wording.shares(loss)} · {beside}"
        figures.append(Figure(label, wording.probability(loss), detail))
    return figures


def timing_name(strategy: StrategyResult) -> str:
    """What the second P(loss) of a strategy is with; a timing that costs money is not called an edge."""
    return "negative timing" if negative(strategy.edge) else "edge"


def over_generators(found: PlantedLosses, row: Losses) -> str:
    """The least and the greatest P(loss) over this generator and others; a dash where there is no other."""
    low, high = row.generators
    return f"{share(low)} to {share(high)}" if found.generators else wording.UNDEFINED


def key_figures(strategy: StrategyResult, init_cash: float) -> list[Figure]:
    """The figures of all universes that a reader looks for first, each with its interval; P(loss) stands first."""
    returns, found = measure_of(strategy, "total_return"), strategy.universes
    loss, falls = found.probability_of_loss, found.probability_of_drawdown

    def cash(value: float | None) -> str:
        return money(None if value is None else value * init_cash, signed=True)

    def between(path: str) -> str:
        return wording.interval(*found.interval("total_return", path), signed=True)

    def beside(*parts: str) -> str:
        return " · ".join(part for part in parts if part != wording.UNDEFINED)

    middle, low = returns.median, returns.quantile(0.05)
    shortfall = returns.expected_shortfall_97_5
    worst = wording.interval(*found.interval("total_return", "expected_shortfall_97_5"))
    figures = [
        Figure("P(loss) as generated", wording.probability(loss), f"95% interval {wording.shares(loss)}"),
        Figure("Median return", percent(middle, signed=True), beside(cash(middle), between("quantiles.0.5"))),
        Figure("5% quantile of return", percent(low, signed=True), beside(cash(low), between("quantiles.0.05"))),
        Figure("Expected shortfall 97.5", percent(shortfall), beside("mean loss of the worst 2.5%", worst)),
    ]
    figures += [
        Figure(f"P(drawdown > {share(float(depth))})", wording.probability(part), wording.shares(part))
        for depth, part in falls.items()
    ]
    rare = (
        ("Never in the market", found.never_traded, "of universes, where ratios are undefined"),
        ("Ruined", found.ruined, "of universes, where all equity was lost"),
    )
    for name, part, what in rare:
        if part and part.value:
            figures.append(Figure(name, share(part.value), f"{what} · {wording.shares(part)}"))
    beaten = _beats_buy_and_hold(strategy)
    if beaten is not None:
        figures.append(beaten)
    if strategy.realised is not None:
        figures.append(
            Figure("Real outcome", percent(strategy.realised_return, signed=True), wording.placed(strategy.luck))
        )
    return figures


def _beats_buy_and_hold(strategy: StrategyResult) -> Figure | None:
    """In how many universes it earned more than buy and hold; None for buy and hold itself."""
    excess = strategy.metrics["excess_return"].to_numpy(dtype=np.float64)
    excess = excess[np.isfinite(excess)]
    if not len(excess) or not np.any(np.abs(excess) > TIE):
        return None
    beaten, equal = wilson(int((excess > TIE).sum()), len(excess)), float((np.abs(excess) <= TIE).mean())
    same = f" · equal in {share(equal)}" if equal else ""
    return Figure("Beats buy and hold in", share(beaten.value), f"of universes · {wording.shares(beaten)}{same}")


def luck_sentence(strategy: StrategyResult) -> str:
    """Where the real outcome falls among the universes, in words; empty without one."""
    luck = strategy.luck
    if strategy.realised is None or luck.better is None or luck.worse is None:
        return ""
    kind, harsh = luck.better.value > UNUSUAL, luck.worse.value > UNUSUAL
    draw = "unusually kind" if kind else "unusually harsh" if harsh else "nothing unusual"
    real = percent(strategy.realised_return, signed=True)
    return f"What really happened after the origin, {real}, is {wording.placed(luck)}: {draw} among them."


def checks(verdict: Verdict) -> list[CheckRow]:
    """Each check: what it asks, value, interval, threshold, answer and note."""
    rows = []
    for check in verdict.checks:
        ratio = check.name == "backtest_won"
        rows.append(
            CheckRow(
                name=wording.check_name(check.name),
                value=number(check.value) if ratio else _share(check.value),
                interval=wording.interval(check.low, check.high, read=_ratio) if ratio else wording.shares(check),
                threshold="> 0" if ratio else _threshold(check.name, check.threshold),
                answer=wording.answer(check.passed, check.value, is_open=check.note.startswith("open")),
                style=wording.ANSWERS[check.passed],
                note=check.note,
            )
        )
    return rows


def _ratio(value: float | None, *, signed: bool = False) -> str:
    """A ratio as `wording.interval` reads the ends of one."""
    return number(value)


def _share(value: float | None) -> str:
    return wording.UNDEFINED if value is None else share(value)


def _threshold(name: str, threshold: float | None) -> str:
    """What would pass: at least for shares of universes that should be many, at most for losses."""
    if threshold is None:
        return wording.UNDEFINED
    return f"{SIGNS.get(name, '')} {share(threshold)}".strip()


def tails(strategy: StrategyResult) -> list[tuple[str, list[str]]]:
    """VaR and expected shortfall with intervals, of each measure whose low tail is a loss in capital."""
    rows = []
    for name, row in MEASURES.items():
        entry = measure_of(strategy, name)
        if not row.tail or entry.value_at_risk_95 is None:
            continue
        cells, read = [], money if row.format == "currency" else percent
        for path, value in _tail_values(entry):
            ends = strategy.universes.interval(name, path)
            cells += [read(value), wording.interval(*ends, read=read)]
        rows.append((row.label, cells))
    return rows


def _tail_values(entry: Distribution) -> Sequence[tuple[str, float | None]]:
    """The figures of the low tail, in the order of `TAILS`, by their path in the distribution."""
    values = (entry.value_at_risk_95, entry.value_at_risk_99, entry.expected_shortfall_97_5)
    return [(path, value) for (path, _), value in zip(TAILS, values, strict=True)]


def measure_rows(strategy: StrategyResult) -> list[tuple[str, str, list[str]]]:
    """Label, description and cells of each measure: mean, quantiles, real outcome, its percentile, backtest."""
    rows = []
    places = strategy.luck.percentiles
    for name, row in MEASURES.items():
        entry = measure_of(strategy, name)
        numbers = [entry.mean, *entry.quantiles.values()]
        cells = [wording.measure(name, value) for value in numbers]
        if strategy.realised is not None:
            place = places.get(name)
            cells += [wording.measure(name, strategy.realised_of(name)), _share(place)]
        star = " *" if name in wording.GROWING else ""
        cells.append(wording.measure(name, strategy.backtest_of(name)) + star)
        rows.append((row.label, row.description, cells))
    return rows


def lookahead(report: LookAhead) -> tuple[str, str]:
    """What the look-ahead check says: its answer (passed, failed, open) and a sentence."""
    bars, decisions, cuts = (report.bars, report.decisions, report.cuts)
    if report.found:
        first, more = clean(str(report.found[0])), len(report.found) - 1
        return "failed", f"It looks ahead: {first}{f' (and {more} more)' if more else ''}. Its figures are no evidence."
    if report.chance:
        return "open", f"Whether it looks ahead is open: {clean(str(report.covered))}."
    if report.inconclusive:
        why = "could be compared" if decisions else "fired"
        return "open", f"Whether it looks ahead is open: no decision {why} in {bars:,} real bars."
    how = f"stay the same when later bars are taken away at {cuts} cuts" if cuts else "are made one bar at a time"
    share = f"; {report.checked:.0%} of them were checked right behind their bar" if cuts else ""
    return "passed", f"Decisions in {bars:,} real bars: {decisions:,}; they {how}{share}."
