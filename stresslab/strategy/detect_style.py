"""In which form a strategy takes its bars: detected by calling it on two universes together and alone.

A function that answers differently (or raises) when another universe stands beside its own was written for one series;
it is then called universe by universe, which costs time and nothing else.
"""

from __future__ import annotations

import time
from dataclasses import replace

from stresslab.core.errors import StrategyError, StrategyLimitError
from stresslab.data.bars import Bars
from stresslab.strategy import Form, Strategy
from stresslab.strategy.lookahead.probe import DecisionProbe

ROWS = 2500
"""Latest bars that it is tried on."""


def detect_call_style(strategy: Strategy, bars: Bars) -> Strategy:
    """The strategy in the form that its code takes.

    Args:
        strategy: as loaded, which takes all universes at once.
        bars: real bars; they and their mirror image are the universes it is tried on.

    Returns:
        The strategy as it came where the call on both universes answers like the call on one; else in the first form
        that runs: frames of one column, a data frame of one series.

    Raises:
        StrategyError: the code runs in none of these forms, or took too long.
    """
    bars = strategy.sees(bars)
    if strategy.kind == "on_bar" or strategy.takes_market:
        return strategy
    bars, wide = bars[max(0, len(bars) - ROWS) :], None
    if getattr(strategy._function, "takes", "") in ("series", "beside"):
        started = time.perf_counter()
        alone_form = replace(strategy, form=Form("series", 0.0, len(bars)))
        DecisionProbe.of(alone_form, bars)
        return replace(strategy, form=Form("series", time.perf_counter() - started, len(bars)))
    try:
        if not DecisionProbe.of(strategy, bars).beside_another():
            return strategy
    except StrategyLimitError:
        raise
    except StrategyError as error:
        wide = error
    alone = wide
    for shape in ("column", "series"):
        started = time.perf_counter()
        form = Form(shape, 0.0, len(bars))
        try:
            trial = DecisionProbe.of(replace(strategy, form=form), bars)
            seconds = time.perf_counter() - started
            if trial.beside_another():  # chance or memory; the look-ahead check separates them
                return strategy
        except StrategyLimitError:
            raise
        except StrategyError as error:
            alone = error
            continue
        return replace(strategy, form=replace(form, seconds=seconds))
    assert wide is not None
    assert alone is not None
    if str(alone) == str(wide) or not isinstance(wide.__cause__, ValueError | TypeError) or "read-only" in str(wide):
        raise wide  # what a single series would not have changed, or what is refused
    reason = str(alone).removeprefix(f"strategy {strategy.name!r}").removeprefix(":").strip()
    raise StrategyError(f"{wide} (given one series alone: {reason})") from wide
