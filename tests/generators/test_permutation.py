"""Permuted bars: the same gaps and bars in another order, between the same first and last price."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.errors import InputError
from stresslab.data.bars import Bars
from stresslab.generators import permutation
from stresslab.generators.permutation import Permutations, permuted_bars
from tests.make.bars import make_bars
from tests.make.universes import assert_valid

BARS = make_bars(400)
WARM = 100


def parts(values: np.ndarray, before: float) -> tuple[np.ndarray, np.ndarray]:
    """Log gaps (T,) and log high, low, close over the open (T, 3)."""
    logs = np.log(values[:, :4])
    closes = np.concatenate([[np.log(before)], logs[:-1, 3]])
    return logs[:, 0] - closes, logs[:, 1:] - logs[:, :1]


def test_gaps_and_shapes_are_those_of_the_real_bars() -> None:
    """Sorted, gaps are the real gaps and shapes the real shapes; unsorted they are not; the ends are the real ones."""
    found = permuted_bars(BARS, WARM, range(5), seed=3)
    real_gaps, real_shapes = parts(BARS.values[WARM:], BARS.values[WARM - 1, 3])
    for values in found.values:
        assert_valid(values)
        gaps, shapes = parts(values, BARS.values[WARM - 1, 3])
        assert np.sort(gaps) == pytest.approx(np.sort(real_gaps), abs=1e-10)
        order, real_order = np.argsort(shapes[:, 2]), np.argsort(real_shapes[:, 2])
        assert shapes[order] == pytest.approx(real_shapes[real_order], abs=1e-10)  # whole bars, not field by field
        assert not np.allclose(shapes, real_shapes)
        assert not np.allclose(np.argsort(order), np.argsort(np.argsort(gaps)))  # gaps in an order of their own
        assert values[-1, 3] == pytest.approx(BARS.values[-1, 3])
    assert found.history.digest == BARS[:WARM].digest
    assert found.timestamps.equals(BARS.timestamps[WARM:])


def test_a_permutation_depends_on_seed_and_id_alone() -> None:
    """Asked for alone or among others it is the same; another id or seed gives another."""
    together, alone = permuted_bars(BARS, WARM, [4, 9], seed=1), permuted_bars(BARS, WARM, [9], seed=1)
    assert np.array_equal(together.values[1], alone.values[0])
    assert not np.array_equal(together.values[0], together.values[1])
    assert not np.array_equal(permuted_bars(BARS, WARM, [9], seed=2).values, alone.values)


def test_every_bar_is_as_likely_in_every_place() -> None:
    """The biggest gap's place is uniform over the bars."""
    found = permuted_bars(BARS, WARM, range(2000))
    opens, closes = np.log(found.values[:, 1:, 0]), np.log(found.values[:, :-1, 3])
    places = np.argmax(opens - closes, axis=1)
    counts = np.histogram(places, bins=10, range=(0, 299))[0]
    assert ((counts - 200) ** 2 / 200).sum() < 30  # chi-square with 9 degrees of freedom


def test_volume_keeps_the_level_of_its_time() -> None:
    """A market whose volume grows a hundredfold is as busy late as it was, whatever bar comes there."""
    frame = make_bars(600).frame.drop(columns="amount")
    frame["volume"] *= np.geomspace(1, 100, 600)
    bars = Bars.from_frame(frame)
    found = permuted_bars(bars, 50, range(20)).values[:, :, 4]
    early, late = found[:, :100].mean(), found[:, -100:].mean()
    assert late / early == pytest.approx(bars.values[-100:, 4].mean() / bars.values[50:150, 4].mean(), rel=0.15)
    assert permuted_bars(make_bars(100), 10, [0]).values[:, :, 5].min() > 0


def test_too_few_bars_are_refused() -> None:
    """Nothing before the first bar, or next to nothing after the warm-up."""
    for warmup in (0, 390):
        with pytest.raises(InputError, match="to permute"):
            permuted_bars(BARS, warmup, [0])


def test_a_process_makes_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal bars find what was made; other bars, warm-ups, seeds and ids do not, and what is too much is not kept."""
    kept, ids = Permutations(), np.arange(5)
    found = kept.of(BARS, WARM, ids, 3)
    np.testing.assert_array_equal(found.values, permuted_bars(BARS, WARM, ids, 3).values)
    assert kept.of(make_bars(len(BARS)), WARM, ids.copy(), 3) is found
    for bars, warmup, wanted, seed in (
        (BARS, WARM, ids[1:], 3), (BARS, WARM, ids, 4), (BARS, WARM + 1, ids, 3), (BARS[1:], WARM, ids, 3),
    ):  # fmt: skip
        other = kept.of(bars, warmup, wanted, seed)
        np.testing.assert_array_equal(other.values, permuted_bars(bars, warmup, wanted, seed).values)
        assert other.history.digest == bars[:warmup].digest
    first = kept.of(BARS, WARM, ids, 3)
    monkeypatch.setattr(permutation, "KEPT", first.payload.nbytes)
    more = kept.of(BARS, WARM, ids + 5, 3)
    assert kept.of(BARS, WARM, ids + 5, 3) is not more
    assert kept.of(BARS, WARM, ids, 3) is first
