"""What is found of strategies before anything is sampled, and how far that is while it goes on."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from stresslab.core.errors import InputError
from stresslab.runs.check_run import check
from tests.make.bars import make_bars

BARS = make_bars(600)


def above(bars: Any, window: int = 30) -> Any:
    """Above an average."""
    mean = bars.close.rolling(window).mean()
    return bars.close > mean, bars.close < mean


def ahead(bars: Any) -> Any:
    """Knows the next close."""
    up = bars.close.shift(-1) > bars.close
    return up, ~up


def test_answers_of_each_strategy() -> None:
    """Who looks ahead, and how much history each needs."""
    found = check([above, ahead], BARS)
    assert found.looking_ahead == ["ahead"]
    first, second = found.strategies
    assert first.lookback is not None
    assert first.lookback.needed == pytest.approx(30, abs=1)
    assert "does not look ahead" in str(first)
    assert f"needs about {first.lookback.needed} bars of history" in str(first)
    assert "looks ahead" in str(second)
    assert str(found) == f"{first}\n{second}"


def test_parameters_and_frames() -> None:
    """Bars may be a frame; parameters are passed on."""
    frame = pd.DataFrame(BARS.values[:, :5], columns=["open", "high", "low", "close", "volume"], index=BARS.timestamps)
    found = check(above, frame, params={"window": 60}).strategies[0].lookback
    assert found is not None
    assert found.needed == pytest.approx(60, abs=3)


def test_progress_of_slow_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every universe that was decided in counts; the end is reached, and never before it is there."""
    seen: list[tuple[str, int, int]] = []

    def looped(bars: Any) -> Any:
        entries, exits = [], []
        for close, mean in zip(bars["close"], bars["close"].rolling(20).mean(), strict=True):
            entries.append(close > mean)
            exits.append(close < mean)
        return entries, exits

    monkeypatch.setattr("stresslab.runs.check_run.SLOW_SECONDS", 1e9)
    check(above, BARS, progress=lambda stage, done, total: seen.append((stage, done, total)))
    assert not seen  # it takes no longer
    monkeypatch.setattr("stresslab.runs.check_run.SLOW_SECONDS", 0.0)
    found = check(looped, BARS, progress=lambda stage, done, total: seen.append((stage, done, total)))
    assert found.strategies[0].seconds > 0
    assert {stage for stage, _, _ in seen} == {"checking looped"}
    done = [one for _, one, _ in seen]
    assert done == sorted(done)
    assert len(seen) > 50
    assert all(one < total for _, one, total in seen[:-1])
    assert seen[-1][1] == seen[-1][2]


def test_each_answer_comes_when_it_is_known() -> None:
    """A caller hears of the first strategy before the second one is looked at."""
    heard: list[str] = []
    check([above, ahead], BARS, found=lambda one: heard.append(one.name))
    assert heard == ["above", "ahead"]


def test_what_is_no_bars() -> None:
    """One line."""
    with pytest.raises(InputError, match="bars=3 are no bars; give a file or a sample"):
        check(above, 3)
