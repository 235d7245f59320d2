"""Calls of the user's code: time, memory, printing, and threads."""

from __future__ import annotations

import io
import sys
import threading
import time
import warnings
from typing import Any

import numpy as np
import pytest

from stresslab.core.errors import StrategyError, StrategyLimitError
from stresslab.data.universes import Universes
from stresslab.strategy import Strategy, load_strategies
from stresslab.strategy.panel import Panel
from stresslab.strategy.sandbox import SHOWN, CallLog, aside, blaming, within_memory
from tests.make.bars import make_bars

BARS = make_bars(80)
PANEL = Panel.of(Universes.from_bars(BARS[50:], BARS[:50]), 50)


def load(rule: Any, patience: float = 0.2) -> Strategy:
    """A strategy that may take so long."""
    return load_strategies(rule, {}, patience=patience)[0]


def spin(bars: Any) -> Any:
    """Never ends, and swallows what it can."""
    count = 0
    while count >= 0:
        try:
            count += 1
        except Exception:
            count = 0


def stubborn(bars: Any) -> Any:
    """Swallows even the order to stop, for a while."""
    until = time.monotonic() + 0.8
    while time.monotonic() < until:
        try:
            while time.monotonic() < until:
                pass
        except BaseException:
            continue
    raise KeyError("late")


def in_thread(function: Any) -> list[BaseException]:
    """The errors of a call in another thread."""
    errors: list[BaseException] = []

    def call() -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return errors


@pytest.mark.parametrize("elsewhere", [False, True], ids=["main thread", "other thread"])
def test_a_loop_without_end_is_stopped(elsewhere: bool) -> None:
    """A loop is stopped in any thread, in one line that names its place and the remedy; the next one goes on."""
    started = time.monotonic()
    errors = in_thread(lambda: load(spin).decide(PANEL))
    if not elsewhere:
        with pytest.raises(StrategyLimitError) as caught:
            load(spin).decide(PANEL)
        errors = [caught.value]
    assert time.monotonic() - started < 20
    (error,) = errors
    assert isinstance(error, StrategyLimitError)
    assert str(error).startswith("strategy 'spin' took longer than 0.2 s, at test_sandbox.py line ")
    assert "`strategy_timeout`" in str(error)
    time.sleep(0.3)  # no late order arrives
    assert load(lambda bars: bars.close * 0).decide(PANEL).is_weights


def test_waiting_is_stopped_too() -> None:
    """In the main thread a sleep is interrupted."""
    started = time.monotonic()
    with pytest.raises(StrategyLimitError, match="took longer than"):
        load(lambda bars: time.sleep(30)).decide(PANEL)
    assert time.monotonic() - started < 10


def test_each_universe_of_on_bar_has_its_time() -> None:
    """Time counts for one universe where they are taken one by one."""
    history, values = BARS[:50], np.stack([BARS[50:].values] * 3)
    panel = Panel.of(Universes(values, BARS.timestamps[50:], history, np.arange(3)), 0)

    class Slow:
        def on_bar(self, state: dict[str, Any], bar: Any) -> float:
            time.sleep(0.3 / 30)
            return 0.0

    load(Slow, patience=0.75).decide(panel)  # 0.3 s each, 0.9 s in all
    with pytest.raises(StrategyLimitError):
        load(Slow, patience=0.1).decide(panel)


def test_what_swallows_the_order_is_told_in_the_end() -> None:
    """Code that catches everything gets the order again and again, and ends as its own fault."""
    with pytest.raises(StrategyError, match=r"took longer than|raised KeyError"):
        load(stubborn).decide(PANEL)


def test_memory_is_refused() -> None:
    """What asks for more memory than is free gets no more, in one line, and the limit is lifted afterwards."""
    resource = pytest.importorskip("resource")
    if not sys.platform.startswith("linux"):
        pytest.skip("no limit to data on this system")
    before = resource.getrlimit(resource.RLIMIT_DATA)

    def hog(bars: Any) -> Any:
        return np.ones((len(bars.close), 2**40))

    def creeping(bars: Any) -> Any:
        with within_memory():
            limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
        assert limit != resource.RLIM_INFINITY
        return np.empty(limit, dtype=np.uint8)  # more than is left

    for rule in (hog, creeping):
        with pytest.raises(StrategyLimitError, match=r"asked for more memory than .*, at test_sandbox\.py"):
            load(rule, 60).decide(PANEL)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_printing_is_kept_aside(capsys: pytest.CaptureFixture[str]) -> None:
    """What the code prints stays out of the output; its length and its beginning are noted, in every universe."""

    def chatty(bars: Any) -> Any:
        print("x" * 1000)
        warnings.warn("on stderr", stacklevel=1)
        sys.stderr.write("more\n")
        return bars.close * 0

    one = load(chatty)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one.decide(PANEL)
        one.decide(PANEL)
    assert capsys.readouterr() == ("", "")
    assert one.log.characters == 2 * 1006
    assert one.log.beginning == "x" * SHOWN
    assert one.log.take().characters == 2012
    assert one.log.characters == 0


def test_others_may_print_meanwhile() -> None:
    """A progress bar in another thread is not swallowed."""
    log, out = CallLog(), io.StringIO()
    before, sys.stdout = sys.stdout, out
    try:
        with aside(log):
            print("mine")
            in_thread(lambda: print("theirs"))
    finally:
        sys.stdout = before
    assert out.getvalue() == "theirs\n"
    assert log.beginning == "mine\n"


def test_a_frame_of_pandas_has_no_symbols() -> None:
    """A column that is asked for by a name is explained: columns are universes; another dictionary's key is not."""
    with pytest.raises(StrategyError, match=r"KeyError: 'AAPL', at .*no such column; .*universes of one series"):
        load(lambda bars: bars.close["AAPL"]).decide(PANEL)
    with pytest.raises(StrategyError, match="raised KeyError: 'AAPL'") as caught:
        load(lambda bars: {}["AAPL"]).decide(PANEL)
    assert "universes of one series" not in str(caught.value)


def test_nested_blame_keeps_the_innermost() -> None:
    """An error that is told already is passed on as it is."""
    with pytest.raises(StrategyError, match=r"^mine$"), blaming("outer", ""):
        raise StrategyError("mine")


def test_what_the_code_warns_of_is_noted_with_its_line() -> None:
    """Each warning of the user's own lines once, and no more than a few; they still reach whoever listens."""

    def warning(bars: Any) -> Any:
        for number in range(3):
            warnings.warn(f"mind the {number}", UserWarning, stacklevel=1)
        return bars.close > 0, bars.close < 0

    one = load(warning, patience=10.0)
    for _ in range(2):
        with pytest.warns(UserWarning, match="mind the 2"):
            one.decide(PANEL)
    assert len(one.log.warnings) == 3
    assert one.log.warnings[0].startswith("UserWarning at test_sandbox.py line ")
    assert "`warnings.warn(f" in one.log.warnings[0]
    assert one.log.warnings[0].endswith("mind the 0")
    whole = CallLog()
    whole.add(one.log.take())
    assert len(whole.warnings) == 3
    assert one.log.warnings == []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one.decide(PANEL)
    assert one.log.warnings == []


def test_chained_assignment_that_does_nothing_is_noted() -> None:
    """What pandas 3 says of code that was written for earlier ones reaches the user, by its line."""

    def chained(bars: Any) -> Any:
        frame = bars.close * 0
        frame[frame.columns[0]][5:] = 1.0
        return frame

    one = load(chained, patience=10.0)
    with warnings.catch_warnings(record=True):
        one.decide(PANEL)
    assert "ChainedAssignmentError at test_sandbox.py line" in one.log.warnings[0]


def test_universes_are_counted_as_they_are_done() -> None:
    """Whoever waits for slow code hears of each universe; wide code answers for all at once."""
    counted: list[int] = []

    def on_bar(state: dict[str, Any], bar: Any) -> float:
        return 1.0

    def wide(bars: Any) -> Any:
        return bars.close > 0, bars.close < 0

    panel = Panel.of(Universes.concatenate([Universes.from_bars(BARS[50:], BARS[:50])] * 3), 50)
    for code in (on_bar, wide):
        strategy = load(code)
        strategy.log.advance = counted.append
        strategy.decide(panel)
    assert counted == [1, 1, 1, 3]


def test_a_stream_that_is_noted_can_be_written_to() -> None:
    """As libraries ask before they print, within the call and outside."""
    log, asked = CallLog(), []

    with aside(log):
        asked.append((sys.stdout.writable(), sys.stdout.encoding is not None))
    assert asked == [(True, True)]
