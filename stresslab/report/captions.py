"""One sentence under each picture that says what to see in it, made from the facts it shows.

`report.charts` draws the pictures.
"""

from __future__ import annotations

import pandas as pd

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.analysis.result_models import LABELS, Distribution
from stresslab.report.wording import money, percent, placed, price, share

REALISED = "what really happened"
DEPTH_COLOURS = ("orange", "red")
"""What both the page and the pictures paint drawdowns in that are deeper than each of `DRAWDOWNS`."""


def measure_of(strategy: StrategyResult, name: str) -> Distribution:
    """The distribution of one measure over universes."""
    return strategy.universes.of_measure(name)


def universes_title(result: StressResult) -> str:
    """What the fan of universes is."""
    count = result.universes_count
    over = "over the real path" if result.future is not None else "after the real path"
    return f"{count:,} {'universe' if count == 1 else 'universes'} {over}"


def universes_sentence(result: StressResult) -> str:
    """What the fan of universes shows."""
    last, start = result.fan.iloc[-1], float(result.history.values[-1, 3])
    low, high = float(last["0.25"]), float(last["0.75"])
    text = (
        f"Half of the universes end between {price(low)} and {price(high)} "
        f"({percent(low / start - 1, signed=True)} to {percent(high / start - 1, signed=True)} from the origin)"
    )
    future = result.future
    if future is None:
        return f"{text}; the test looks only forward, so no real bars lie over the fan."
    end = float(future.values[-1, 3])
    change = percent(end / start - 1, signed=True)
    if len(future) < result.horizon:
        return f"{text}; only {len(future)} of {result.horizon:,} real bars have followed so far ({change})."
    return (
        f"{text}; {REALISED} (the solid line) ended at {price(end)} ({change}), {_among(last, end)} of the universes."
    )


def _among(quantiles: pd.Series[float], value: float) -> str:
    """Between which of the quantiles a value lies."""
    levels = [(float(str(level)), float(quantile)) for level, quantile in quantiles.items()]
    if value < levels[0][1]:
        return f"below {share(1 - levels[0][0])}"
    if value > levels[-1][1]:
        return f"above {share(levels[-1][0])}"
    below = max(level for level, quantile in levels if quantile <= value)
    above = min(level for level, quantile in levels if quantile >= value)
    return (
        f"between the {share(below)} and {share(above)} quantiles"
        if below < above
        else f"at the {share(above)} quantile"
    )


def pnl_sentence(strategy: StrategyResult) -> str:
    """What the histogram of total returns shows."""
    loss, count = strategy.universes.probability_of_loss, strategy.universes.count
    median = measure_of(strategy, "total_return").median
    lost = round(loss.value * count)
    text = (
        f"In {lost:,} of {count:,} universes ({share(loss.value)}) the strategy ends with a loss (orange); "
        f"the median universe returns {percent(median, signed=True)}"
    )
    if strategy.realised is None:
        return f"{text}."
    real = percent(strategy.realised_return, signed=True)
    return f"{text}; {REALISED}, {real}, is {placed(strategy.luck)}."


def drawdown_sentence(strategy: StrategyResult) -> str:
    """What the distribution of the deepest drawdowns shows."""
    median = measure_of(strategy, "max_drawdown").median
    depths = strategy.universes.probability_of_drawdown.items()
    beyond = " and ".join(
        f"{share(found.value)} fall by more than {share(float(depth))} ({colour})"
        for (depth, found), colour in zip(depths, DEPTH_COLOURS, strict=True)
    )
    fall = percent(None if median is None else abs(median))
    return f"In the median universe the account falls {fall} below its high at worst; of all universes, {beyond}."


def underwater_sentence(strategy: StrategyResult) -> str:
    """What the distribution of the time under water shows."""
    under = measure_of(strategy, "time_under_water")
    middle, high = under.median, under.quantile(0.95)
    most = "all of them" if high is not None and high >= 1 else f"{percent(high)} or more"
    return (
        f"In the median universe the account lies below an earlier high over {percent(middle)} of the bars, in one of "
        f"twenty over {most}."
    )


def equity_sentence(strategy: StrategyResult, init_cash: float) -> str:
    """What the fan of the account's value shows."""
    last = strategy.equity_fan.iloc[-1]
    text = (
        f"Of {money(init_cash)}, half of the universes make between {money(last['0.25'])} and {money(last['0.75'])}, "
        f"and nine in ten between {money(last['0.05'])} and {money(last['0.95'])}"
    )
    if strategy.realised_equity is None:
        return f"{text}."
    return f"{text}; on the real bars it became {money(float(strategy.realised_equity.iloc[-1]))} (the solid line)."


def headline(result: StressResult) -> str:
    """What a reader has to take along if it is one sentence only."""
    labels = [strategy.verdict.label for strategy in result.strategies]
    if len(labels) == 1:
        return ""
    robust = labels.count("robust")
    counts = ", ".join(f"{labels.count(label)} {label}" for label in LABELS if label != "robust" and label in labels)
    robust_ones = f"{robust or 'Not one'} of {len(labels)} strategies {'are' if robust > 1 else 'is'} robust"
    return f"{robust_ones}{': ' if not robust else '; ' if counts else ''}{counts}."


def label_keys(result: StressResult) -> list[tuple[str, str]]:
    """What the labels in the overview say, those that stand there and no others."""
    limits = {
        check.name: share(check.threshold)
        for one in result.strategies
        for check in one.verdict.checks
        if check.threshold is not None
    }
    low = limits.get("probability_of_loss_robust", "10%")
    high = limits.get("probability_of_loss_lucky", "50%")
    meanings = {
        "robust": f"the real bars support an edge, and with it {low} of universes or fewer are lost",
        "fragile": f"neither robust, nor lost in {high} of universes or more",
        "lucky": f"lost in {high} of universes or more, although the backtest won, and without a supported edge",
        "losing": f"lost in {high} of universes or more, and no clear win before or an edge below its costs",
        "inconclusive": "the evidence does not decide",
    }
    present = {one.verdict.label for one in result.strategies}
    return [(label, meanings[label]) for label in LABELS if label in present]


def overview_sentence(result: StressResult) -> str:
    """What the comparison of several strategies' probabilities of loss shows."""
    losses = [strategy.universes.probability_of_loss.value for strategy in result.strategies]
    low, high = share(min(losses)), share(max(losses))
    worse = sum(loss >= 0.5 for loss in losses)
    span = low if low == high else f"{low} to {high}"
    return (
        f"As generated, {span} of universes end with a loss; "
        f"{worse or 'none'} of {len(losses)} strategies {'loses' if worse == 1 else 'lose'} in half or more. "
        "A dot is that share, the line through it its 95% interval."
    )
