"""Training data: no bar is both learned from and scored, and every window can be drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.data.bars import Bars
from stresslab.errors import InputError
from stresslab.generators.kronos.corpus import Batch, Corpus, split
from stresslab.generators.kronos.representation import Levels, Representation, Returns
from stresslab.generators.kronos.stamps import stamps
from tests.market import make_bars

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
