"""Training data: no bar is both learned from and scored, and every window can be drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.core.errors import InputError
from stresslab.data.bars import Bars
from stresslab.generators.kronos.calendar_features import stamps
from stresslab.generators.kronos.level_features import Levels
from stresslab.generators.kronos.representation import Representation
from stresslab.generators.kronos.return_features import Returns
from stresslab.generators.kronos.train.windows import (
    STILL,
    Batch,
    Corpus,
    count_interruptions,
    interruptions,
    segments,
    split,
)
from tests.make.bars import make_bars

WALK = make_bars(400)


def cut_out(symbol: str, first: int, count: int) -> Bars:
    """A piece of a random walk under another name."""
    piece = WALK[first : first + count]
    return Bars(piece.timestamps, piece.values, symbol)


PIECES = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 199), st.integers(2, 200)), min_size=1, max_size=40).map(
    lambda pieces: [cut_out(f"S{name:02}", first, count) for name, first, count in pieces]
)


@settings(deadline=None)
@given(series=PIECES, cut=st.integers(-5, 405), context=st.integers(0, 50), every=st.integers(2, 12))
def test_the_split_never_leaks(series: list[Bars], cut: int, context: int, every: int) -> None:
    """Training bars lie before the cut, scored ones after it; with enough symbols no symbol is on both sides."""
    date = WALK.timestamps[0] + pd.tseries.offsets.BDay(cut)
    training, held_out = split(series, date, context, every)
    assert all((bars.timestamps < date).all() for bars in training)
    assert all((bars.timestamps < date).sum() <= context for bars in held_out)
    learned, unseen = {bars.symbol for bars in training}, {bars.symbol for bars in held_out}
    symbols = {bars.symbol for bars in series}
    if len(symbols) >= every:
        assert not learned & unseen
    assert all(len(bars) for bars in training + held_out)


@settings(deadline=None)
@given(series=PIECES, cut=st.integers(0, 400))
def test_the_split_uses_every_other_bar(series: list[Bars], cut: int) -> None:
    """All bars before the cut of symbols that are not held out are learned from."""
    date = WALK.timestamps[0] + pd.tseries.offsets.BDay(cut)
    training, _ = split(series, date, 20, every=3)
    spared = set(sorted({bars.symbol for bars in series})[2::3])
    expected = sum((bars.timestamps < date).sum() for bars in series if bars.symbol not in spared)
    assert sum(len(bars) for bars in training) == expected


def test_the_split_does_not_depend_on_the_order() -> None:
    """The same series are held out however they are listed."""
    series = [cut_out(f"S{name:02}", 0, 300) for name in range(20)]
    for listed in (series, series[::-1]):
        training, held_out = split(listed, WALK.timestamps[200], 50)
        assert [bars.symbol for bars in held_out] == ["S09", "S19"]
        assert [len(bars) for bars in held_out] == [150, 150]
        assert len(training) == 18


class Recording(Corpus):
    """A corpus that hands out the places of its windows in place of their features."""

    def windows(self, places: list[tuple[int, int]]) -> Batch:
        """The places as stamps (B, 2)."""
        return Batch(np.empty((len(places), 0)), np.array(places), np.array([which for which, _ in places]))


def test_every_window_is_drawn_equally_often() -> None:
    """Over many draws every window comes up about as often as any other, and nothing else does."""
    corpus = Recording([WALK[:12], WALK[:3], WALK[:8], WALK[:5]], Returns(), 5)
    drawn = corpus.draw(26_000, np.random.default_rng(0)).stamps
    places, counts = np.unique(drawn, axis=0, return_counts=True)
    expected = [(0, start) for start in range(8)] + [(2, start) for start in range(4)] + [(3, 0)]
    assert places.tolist() == [list(place) for place in expected]
    assert np.abs(counts - 2000).max() < 5 * np.sqrt(2000)


@settings(deadline=None)
@given(lengths=st.lists(st.integers(2, 120), min_size=1, max_size=8), length=st.integers(2, 40), per=st.integers(1, 9))
def test_spread_windows_do_not_overlap(lengths: list[int], length: int, per: int) -> None:
    """The spread is the same at every call, of every long enough series, within it, and without overlap."""
    series = [WALK[:count] for count in lengths]
    if max(lengths) < length:
        with pytest.raises(InputError, match=f"has the {length} bars"):
            Recording(series, Returns(), length)
        return
    corpus = Recording(series, Returns(), length)
    places = corpus.spread(per).stamps
    np.testing.assert_array_equal(places, corpus.spread(per).stamps)
    for which, count in enumerate(lengths):
        starts = places[places[:, 0] == which, 1]
        assert len(starts) == min(per, -(-max(0, count - length + 1) // length))
        assert (np.diff(starts) >= length).all()
        assert ((starts >= 0) & (starts + length <= count)).all()


@pytest.mark.parametrize("scaled", [Levels(), Returns()])
def test_a_window_holds_the_features_and_stamps_of_its_bars(scaled: Representation) -> None:
    """A window's features and stamps are those of its own bars, whatever follows them."""
    batch = Corpus([WALK, WALK[:100]], scaled, 40).windows([(0, 300), (1, 20), (0, 0)])
    assert batch.features.shape == (3, 40, scaled.width)
    assert batch.features.dtype == np.float32
    assert np.abs(batch.features).max() <= scaled.clip
    assert batch.series.tolist() == [0, 1, 0]
    for row, first in enumerate((300, 20, 0)):
        np.testing.assert_array_equal(batch.stamps[row], stamps(WALK.timestamps[first : first + 40]))
    cut = Corpus([WALK[:340]], scaled, 40).windows([(0, 300)])
    np.testing.assert_array_equal(cut.features[0], batch.features[0])


def test_the_same_generator_draws_the_same_batch() -> None:
    """Batches depend on the generator alone."""
    corpus = Corpus([WALK], Returns(), 40)
    first, again = (corpus.draw(4, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.features, again.features)
    assert corpus.bars == 400


# ----------------------------------------------------------------------------------------------------------- segments


def without(bars: Bars, first: int, count: int) -> Bars:
    """The series with bars missing."""
    kept = np.r_[0:first, first + count : len(bars)]
    return Bars(bars.timestamps[kept], bars.values[kept], bars.symbol)


def scaled_from(bars: Bars, first: int, factor: float) -> Bars:
    """The series with all prices from one bar on multiplied."""
    values = bars.values.copy()
    values[first:, :4] *= factor
    return Bars(bars.timestamps, values, bars.symbol)


def frozen(bars: Bars, first: int, count: int) -> Bars:
    """The series with bars in a row whose prices are all the close before them; the price goes on from there."""
    values = bars.values.copy()
    values[first + count :, :4] *= values[first - 1, 3] / values[first + count - 1, 3]
    values[first : first + count, :4] = values[first - 1, 3]
    return Bars(bars.timestamps, values, bars.symbol)


def lengths(bars: Bars) -> list[int]:
    """Bars in each segment."""
    return [len(part) for part in segments(bars)]


@settings(deadline=None)
@given(
    gaps=st.lists(st.tuples(st.integers(1, 300), st.integers(0, 40)), max_size=3),
    factor=st.sampled_from([0.1, 0.5, 1.0, 1.4, 4.0]),
    at=st.integers(1, 300),
    still=st.integers(0, 40),
)
def test_segments_are_the_series_without_interruptions(
    gaps: list[tuple[int, int]], factor: float, at: int, still: int
) -> None:
    """In order, the segments hold every bar that did not stand still, once, and are not interrupted themselves."""
    bars = scaled_from(frozen(WALK, 100, still), at, factor)
    for first, count in gaps:
        bars = without(bars, min(first, len(bars) - 60), min(count, 50))
    found, parts = interruptions(bars), segments(bars)
    stamps_kept = np.concatenate([part.timestamps.to_numpy() for part in parts])
    np.testing.assert_array_equal(stamps_kept, bars.timestamps[~found["still"]].to_numpy())
    starts = set(bars.timestamps[found["gap"] | found["jump"]])
    for part in parts:
        assert len(part)
        assert not starts & set(part.timestamps[1:])
        assert part.symbol == bars.symbol


@pytest.mark.parametrize(
    ("freq", "missing", "torn"),
    [("B", 15, False), ("B", 30, True), ("D", 9, False), ("D", 11, True), ("h", 9, False), ("h", 11, True)],
)
def test_a_gap_beyond_holidays_tears_a_series(freq: str, missing: int, torn: bool) -> None:
    """Markets that close may rest for holidays; all may miss ten steps, beyond which a new segment begins."""
    bars = without(make_bars(400, freq=freq), 150, missing)
    assert lengths(bars) == ([150, 250 - missing] if torn else [400 - missing])


def test_nights_and_weekends_are_no_gaps() -> None:
    """Seven hours a day, five days a week, with a day off: one segment; two months away: two."""
    days = pd.bdate_range("2020-01-01", periods=80)
    hours = pd.DatetimeIndex([day + pd.Timedelta(hours=hour) for day in days for hour in range(9, 16)])
    walk = make_bars(len(hours))
    bars = Bars(hours, walk.values, "S")
    assert lengths(without(bars, 140, 7)) == [553]
    assert lengths(without(bars, 140, 40 * 7)) == [140, 140]


@pytest.mark.parametrize(
    ("factor", "torn"),
    [(0.5, True), (2 / 3, True), (4.0, True), (1.0 / 3, True), (2.6, True), (1.2, False), (0.8, False), (1.0, False)],
)
def test_a_jump_like_a_split_tears_a_series(factor: float, torn: bool) -> None:
    """Ratios of share splits and whatever more than doubles or halves; a rise by a fifth is a market."""
    calm = Bars(WALK.timestamps, 100 * (WALK.values / 100) ** 0.05, "S")
    assert lengths(scaled_from(calm, 120, factor)) == ([120, 280] if torn else [400])


def test_one_wrong_tick_stands_alone() -> None:
    """A bar a hundred times too high is a segment by itself, too short for any window."""
    assert lengths(scaled_from(scaled_from(WALK, 120, 100.0), 121, 0.01)) == [120, 1, 279]


@pytest.mark.parametrize(("count", "parts"), [(STILL, [400]), (STILL + 1, [100, 300 - STILL - 1]), (300, [100])])
def test_stretches_that_stand_still_are_left_out(count: int, parts: list[int]) -> None:
    """Up to twenty bars in a row may repeat a price; a longer stretch goes, and the series is cut there."""
    assert lengths(frozen(WALK, 100, count) if count < 300 else still_to_the_end()) == parts


def still_to_the_end() -> Bars:
    """A share that is no longer traded."""
    values = WALK.values.copy()
    values[100:, :4] = values[99, 3]
    return Bars(WALK.timestamps, values, "S")


def test_interruptions_are_counted() -> None:
    """Over all series, by kind."""
    series = [scaled_from(WALK, 50, 4.0), without(scaled_from(WALK, 50, 4.0), 200, 60), still_to_the_end(), WALK[:1]]
    assert count_interruptions(series) == {"gaps": 1, "jumps": 2, "still_bars": 300}


def test_no_window_spans_an_interruption() -> None:
    """Windows drawn from the segments of a torn series lie on one side of the cut."""
    torn = scaled_from(WALK, 200, 4.0)
    corpus = Recording(segments(torn), Returns(), 50)
    places = corpus.draw(500, np.random.default_rng(0)).stamps
    assert {0, 1} == set(places[:, 0].tolist())
    assert (places[:, 1] + 50 <= 200).all()
