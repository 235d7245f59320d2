"""The stationary bootstrap: valid bars, addressed universes, blocks as the papers say, the source's moments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stresslab.core.errors import DataError, InputError
from stresslab.core.randomness import uniforms
from stresslab.data.bars import FIELDS, Bars
from stresslab.generators import bootstrap
from stresslab.generators.bar_shapes import Shapes
from stresslab.generators.bootstrap import (
    STATE_BARS,
    StationaryBootstrap,
    block_positions,
    like_positions,
    optimal_blocks,
)
from tests.make.bars import make_bars
from tests.make.universes import assert_valid


def market(count: int = 600, seed: int = 0, scale: float = 1.0) -> Bars:
    """Daily bars at some price level, with volume that grows fivefold."""
    frame = scale * make_bars(count, seed).frame.drop(columns="amount")
    frame["volume"] *= np.exp(np.log(5) * np.arange(count) / count)
    return Bars.from_frame(frame)


BARS = market()
BOOTSTRAP = StationaryBootstrap()


def test_universe_depends_on_seed_and_id_alone():
    """Universe i of seed s has the same bytes whatever ids, jobs or number of universes are asked for."""
    whole = BOOTSTRAP.sample(BARS, 40, 1200, seed=7)
    assert whole.values.shape == (1200, 40, len(FIELDS))
    assert whole.values.dtype == np.float32
    for ids in ([0], [1199, 3, 700], range(499, 503)):
        part = BOOTSTRAP.sample(BARS, 40, 1200, seed=7, ids=list(ids))
        assert np.array_equal(part.values, whole.values[list(ids)])
        assert np.array_equal(part.ids, list(ids))
    threaded = BOOTSTRAP.sample(BARS, 40, 1200, seed=7, jobs=3)
    assert np.array_equal(threaded.values, whole.values)
    assert not np.array_equal(BOOTSTRAP.sample(BARS, 40, 1200, seed=8).values, whole.values)


def test_longer_horizon_begins_alike():
    """The first bars of a universe do not depend on the horizon."""
    short, long = (BOOTSTRAP.sample(BARS, horizon, 5, seed=1).values for horizon in (10, 30))
    assert np.array_equal(short, long[:, :10])


def test_progress_counts_every_universe():
    """The progress callback's numbers add up to the universes asked for."""
    seen: list[int] = []
    BOOTSTRAP.sample(BARS, 3, 1100, progress=seen.append)
    assert sum(seen) == 1100
    assert len(seen) > 1


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(1, 60),
    st.one_of(st.just("auto"), st.floats(1, 1e6)),
    st.floats(1e-6, 1e4),
)
def test_bars_are_always_valid(seed, horizon, block, scale):
    """Whatever the seed, horizon, block and price level, every bar is possible."""
    universes = StationaryBootstrap(block).sample(market(120, seed % 5, scale), horizon, 20, seed % 1000)
    assert_valid(universes.values)
    assert len(universes.timestamps) == horizon
    assert universes.timestamps[0] > BARS.timestamps[0]
    assert universes.facts["repaired_bars"] == 0


def test_a_block_repeats_real_bars():
    """A universe of one block is a stretch of history from the last close on: same gaps, shadows and bodies."""
    universes = StationaryBootstrap(block=1e9).sample(BARS, 20, 50, seed=3)
    u = uniforms(3, range(50), 20, 2)
    start = (u[:, 0, 1] * (len(BARS) - 1)).astype(int)
    last = BARS.values[-1, 3]
    for values, first in zip(universes.values, start, strict=True):
        positions = (first + np.arange(20)) % (len(BARS) - 1) + 1
        before = BARS.values[positions - 1, 3:4]
        ratios = BARS.values[positions, :4] / before
        previous = last * np.concatenate([[1], np.cumprod(ratios[:, 3])[:-1]])
        assert values[:, :4] == pytest.approx(previous[:, None] * ratios, rel=1e-5)


def test_moments_match_the_source():
    """Mean, deviation and lag-1 autocorrelation of returns, and of the other shapes, are the history's within error."""
    universes = StationaryBootstrap(block=20).sample(BARS, 120, 400, seed=5)
    close = universes.values[:, :, 3].astype(float)
    before = np.concatenate([np.full((400, 1), BARS.values[-1, 3]), close[:, :-1]], axis=1)
    generated, real = np.log(close / before), Shapes.of(BARS).returns
    error = np.sqrt(20) * real.std() / np.sqrt(generated.size)
    assert abs(generated.mean() - real.mean()) < 4 * error
    assert generated.std() == pytest.approx(real.std(), rel=0.03)
    size, real_size = np.abs(generated), np.abs(real)
    lag1 = np.mean((size[:, 1:] - size.mean()) * (size[:, :-1] - size.mean())) / size.var()
    real_lag1 = np.mean((real_size[1:] - real_size.mean()) * (real_size[:-1] - real_size.mean())) / real_size.var()
    assert lag1 == pytest.approx(real_lag1 * 0.95, abs=0.03)  # one bar in twenty begins a block
    for field in range(3):
        shape = np.log(universes.values[:, :, field] / before)
        assert shape.mean() == pytest.approx(Shapes.of(BARS).prices[:, field].mean(), abs=4 * error)


def test_volume_keeps_the_present_level():
    """Volumes are those of a market as busy as lately, however quiet the sampled year was."""
    universes = BOOTSTRAP.sample(BARS, 60, 200)
    recent = BARS.values[-21:, 4].mean()
    assert universes.values[:, :, 4].mean() == pytest.approx(recent, rel=0.1)
    assert np.corrcoef(universes.values[:, :, 4].ravel(), universes.values[:, :, 5].ravel())[0, 1] > 0.5


def test_amount_keeps_its_ratio_to_volume():
    """Where the history's amount is volume times price times 1.02, so is the universes'."""
    frame = BARS.frame.copy()
    frame["amount"] = 1.02 * frame["volume"] * frame[["open", "high", "low", "close"]].mean(axis=1)
    values = BOOTSTRAP.sample(Bars.from_frame(frame), 10, 30).values.astype(float)
    assert values[:, :, 5] == pytest.approx(1.02 * values[:, :, 4] * values[:, :, :4].mean(axis=2), rel=1e-5)


def test_no_volume_stays_none():
    """A history without volume gives universes without volume."""
    frame = BARS.frame.drop(columns=["volume", "amount"])
    universes = BOOTSTRAP.sample(Bars.from_frame(frame), 10, 30)
    assert not universes.values[:, :, 4:].any()
    assert_valid(universes.values)


uniform_draws = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 4), st.integers(1, 30), st.just(2)), elements=st.floats(1e-9, 1 - 1e-9)
)


@given(uniform_draws, st.integers(1, 12), st.floats(1, 50))
def test_block_positions_equal_the_papers_recursion(u, count, block):
    """The vectorised positions are Politis and Romano's, written as a loop: begin anew, or go on around the circle."""
    expected = np.empty(u.shape[:2], dtype=int)
    for universe, row in enumerate(u):
        for step, (begin, where) in enumerate(row):
            if step == 0 or begin < 1 / block:
                expected[universe, step] = int(where * count)
            else:
                expected[universe, step] = (expected[universe, step - 1] + 1) % count
    assert np.array_equal(block_positions(u, count, block), expected)


def test_block_lengths_are_geometric():
    """Blocks begin with probability 1 / block: over many steps the mean length is the block's."""
    positions = block_positions(uniforms(1, range(200), 1000, 2), 10_000, 25.0)
    begins = (positions[:, 1:] - positions[:, :-1]) % 10_000 != 1
    assert 1 / begins.mean() == pytest.approx(25, rel=0.05)


def test_auto_block_is_archs():
    """The automatic length is the longer of arch's for returns and absolute returns, and the facts say both."""
    from arch.bootstrap import optimal_block_length

    returns = Shapes.of(BARS).returns
    expected = [optimal_block_length(x)["stationary"].iloc[0] for x in (returns, np.abs(returns))]
    assert optimal_blocks(returns) == pytest.approx({"returns": expected[0], "absolute_returns": expected[1]})
    facts = BOOTSTRAP.sample(BARS, 5, 2).facts
    assert facts["block"] == pytest.approx(max(1.0, *expected))
    assert facts["optimal_blocks"] == optimal_blocks(returns)


def test_context_draws_from_the_last_bars():
    """With a context only the last bars are drawn from, and the universes still follow the whole history."""
    universes = StationaryBootstrap(context=100).sample(BARS, 5, 10, seed=2)
    assert np.array_equal(universes.values, BOOTSTRAP.sample(BARS[-100:], 5, 10, seed=2).values)
    assert universes.history is BARS
    assert universes.facts["bars_seen"] == 100


def test_describe_is_plain():
    """The description is JSON and holds the settings."""
    assert StationaryBootstrap(12.5, 300).describe() == {
        "name": "bootstrap",
        "block": 12.5,
        "context": 300,
        "dependence": "empirical",
    }


@pytest.mark.parametrize("block", [0.5, 0, -3, float("nan"), float("inf"), "long", True])
def test_wrong_blocks_are_refused(block):
    """A block below one bar, or none at all, is refused in one line."""
    with pytest.raises(InputError, match="block="):
        StationaryBootstrap(block)


def test_too_little_history_is_refused():
    """Fewer than 50 bars, a context as short, and a close that never moves are refused with the reason."""
    with pytest.raises(DataError, match="40 bars are too few"):
        BOOTSTRAP.sample(BARS[:40], 5, 5)
    with pytest.raises(InputError, match="context=10"):
        StationaryBootstrap(context=10)
    still = BARS.frame.assign(open=5.0, high=5.0, low=5.0, close=5.0)
    with pytest.raises(DataError, match="hold nothing to resample"):
        BOOTSTRAP.sample(Bars.from_frame(still), 5, 5)


@pytest.mark.parametrize(("horizon", "universes"), [(0, 5), (10**9, 5), (5, 0)])
def test_sizes_out_of_range_are_refused(horizon, universes):
    """No bars, a billion bars or no universes are refused."""
    with pytest.raises(InputError):
        BOOTSTRAP.sample(BARS, horizon, universes)


def test_like_positions_are_the_nearest_by_a_slow_search():
    """Of the sqrt(M) positions whose past was most like the state, the uniform's one; at both ends of the range too."""
    rng = np.random.default_rng(1)
    returns = rng.standard_t(4, 400) * 0.01
    own = np.array([np.sqrt(np.mean(returns[at - STATE_BARS : at] ** 2)) for at in range(STATE_BARS, 400)])
    for state in (0.0, 1.0, *np.quantile(own, [0.02, 0.5, 0.9])):
        nearest = set((np.argsort(np.abs(own - state), kind="stable")[:20] + STATE_BARS).tolist())
        u = (np.arange(20) + 0.5) / 20
        assert set(like_positions(returns, np.full(20, state), u).tolist()) == nearest


def test_universes_go_on_with_blocks_that_began_in_a_like_state():
    """A wild stretch is followed by wild bars, a calm one by calm bars; later blocks are those of the base case."""
    rng = np.random.default_rng(0)
    wild = np.exp(np.cumsum(np.where(np.arange(2000) // 100 % 2, 0.03, 0.003) * rng.standard_normal(2000)))
    frame = make_bars(2000).frame.drop(columns="amount")
    for name in ("open", "high", "low", "close"):
        frame[name] = 100 * wild
    bars, generator = Bars.from_frame(frame), StationaryBootstrap(block=30)
    base = generator.sample(bars, 40, 300, seed=5)

    def after(scale: float) -> np.ndarray:
        steps = scale * np.where(np.arange(10) % 2, 1.0, -1.0)
        closes = base.values[:, 9:10, 3] * np.exp(np.cumsum(steps))
        inserted = np.array(base.values[:, 10:20], dtype=np.float64)
        inserted[:, :, :4] = closes[:, :, None]
        shocked = generator.continued(base, 10, inserted, seed=5)
        assert_valid(shocked.values)
        assert np.array_equal(shocked.values[:, :10], base.values[:, :10])
        np.testing.assert_allclose(shocked.values[:, 10:20], inserted, rtol=1e-6)
        return np.diff(np.log(shocked.values[:, 19:, 3].astype(float)), axis=1)

    calm, turbulent = after(0.003), after(0.03)
    assert turbulent[:, :5].std() > 4 * calm[:, :5].std()
    u = uniforms(5, range(300), 40, 2)
    began = (u[:, 21:30, 0] < 1 / 30).any(axis=1)  # a block of the base case began since
    assert began.sum() > 30
    np.testing.assert_allclose(calm[began, 10:], turbulent[began, 10:], atol=1e-5)


def test_of_long_histories_the_last_returns_decide_the_block(monkeypatch):
    """As if no others were known."""
    returns = np.random.default_rng(3).standard_normal(900)
    last = optimal_blocks(returns[-500:])
    assert optimal_blocks(returns) != last
    monkeypatch.setattr(bootstrap, "MEASURED", 500)
    assert optimal_blocks(returns) == last
