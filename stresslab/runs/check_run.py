"""Whether strategies look ahead, how they are called and how much history they need: before anything is sampled."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stresslab.core.progress import Progress
from stresslab.data.market import WARNING
from stresslab.data.sources.given import bars_of
from stresslab.runs.notices import LONG_IMPORT_SECONDS
from stresslab.strategy import CALL_TIMEOUT_SECONDS, CallLog, Strategy, load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.loading import import_seconds
from stresslab.strategy.lookahead.check import CUTS, LookAheadReport, find_lookahead
from stresslab.strategy.lookback import Lookback, find_lookback

WARMUP, HORIZON = 500, 250
"""Bars of history that a run shows by default, and latest bars that decisions are compared on."""
_BAR_BY_BAR, _OTHERS = 8, 3 * CUTS + 40
"""Universes that the search for look-ahead decides in, about: of `on_bar`, and of what sees all bars at once."""


@dataclass(frozen=True)
class StrategyCheck:
    """What was found of one strategy.

    Attributes:
        name: of the strategy.
        lookahead: whether its decisions depend on later bars.
        lookback: how much history it needs; None where that could not be found.
        seconds: of a call in one universe, where each is a call of its own; 0 otherwise.
        importing: seconds that its file runs each time it is imported.
        log: what its code printed and warned of.
    """

    name: str
    lookahead: LookAheadReport
    lookback: Lookback | None
    seconds: float
    importing: float
    log: CallLog

    def __str__(self) -> str:
        """The answer, and below it what else is worth knowing."""
        lines = [f"{self.name}: {self.lookahead}"]
        if self.seconds:
            lines.append(f"written for one series: each universe is a call of its own, {1000 * self.seconds:,.0f} ms")
        if self.log.characters:
            lines.append(f"printed {self.log.characters:,} characters, which begin {self.log.beginning!r}")
        lines += [f"warns: {text}" for text in self.log.warnings]
        if self.importing >= LONG_IMPORT_SECONDS:
            lines.append(f"runs for {self.importing:.1f} s each time it is imported; see docs/strategies.md")
        lines += [str(self.lookback)] if self.lookback is not None else []
        return "\n  ".join([*lines, *(f"also {finding}" for finding in self.lookahead.found[1:])])


@dataclass(frozen=True)
class CheckResult:
    """What was found.

    Attributes:
        strategies: what was found of each, in the order given.
        notices: how the bars were read and what looks wrong in them, a sentence each.
    """

    strategies: tuple[StrategyCheck, ...]
    notices: tuple[str, ...] = ()

    @property
    def looking_ahead(self) -> list[str]:
        """Names of the strategies that look ahead."""
        return [one.name for one in self.strategies if one.lookahead.found]

    def __str__(self) -> str:
        """All of it, a strategy after the other."""
        return "\n".join([*map(str, self.strategies), *(f"bars: {text}" for text in self.notices)])


def check(
    strategy: Any,
    bars: Any,
    *,
    params: Mapping[str, Any] | None = None,
    warmup: int = WARMUP,
    horizon: int = HORIZON,
    timeout: float = CALL_TIMEOUT_SECONDS,
    progress: Progress | None = None,
    found: Callable[[StrategyCheck], None] | None = None,
) -> CheckResult:
    """Whether strategies decide from bars that were not there yet, and how much history they need.

    Args:
        strategy: path, `path:name`, callable, or a list of these.
        bars: real bars, a frame of them, or where they are; see `load_bars`.
        params: keyword arguments for the strategies.
        warmup: bars of history that a run would show.
        horizon: latest bars on which decisions with less history are compared.
        timeout: seconds that one call of a strategy's code may take.
        progress: called with (stage, done, total), about, where it takes longer than a second.
        found: called with what was found of each strategy as soon as it is known.

    Raises:
        InputError: the strategies or the bars cannot be used.
    """
    real, checks = bars_of(bars), []
    for one in load_strategies(strategy, dict(params or {}), patience=timeout):
        counted = _Counted(one, progress)
        suited = detect_call_style(counted.strategy, real)
        report = find_lookahead(suited, real)
        lookback = find_lookback(suited, real, warmup, horizon, least=True)
        counted.end()
        importing = 0.0 if one.path is None else import_seconds(one.path)
        checks.append(StrategyCheck(one.name, report, lookback, suited.form.seconds, importing, suited.log))
        if found is not None:
            found(checks[-1])
    usual = ("no amount", "no volume")  # which no strategy's check depends on
    said = tuple(text.removeprefix(WARNING) for text in real.notices if not text.startswith(usual))
    return CheckResult(tuple(checks), said)


SLOW_SECONDS = 1.0
"""Seconds of a check after which it says how far it is."""


class _Counted:
    """Counts the universes in which a strategy decides, and says how far a slow check is by that."""

    def __init__(self, strategy: Strategy, progress: Progress | None) -> None:
        self._stage, self._progress, self._done = f"checking {strategy.name}", progress, 0
        self._about = _BAR_BY_BAR if strategy.kind == "on_bar" else _OTHERS
        self._began, self._said = time.perf_counter(), False
        self.strategy = replace(strategy, log=replace(strategy.log, advance=self._advance))

    def _advance(self, universes: int) -> None:
        self._done += universes
        if self._progress is not None and time.perf_counter() - self._began >= SLOW_SECONDS:
            self._about, self._said = max(self._about, self._done + 1), True
            self._progress(self._stage, self._done, self._about)

    def end(self) -> None:
        """Say that it is done."""
        if self._progress is not None and self._said:
            self._progress(self._stage, self._about, self._about)
