"""What strategies come to in a shard: universes that are identical count once, in one shard and across shards."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stresslab.backtest import Terms
from stresslab.backtest.evaluate import Evaluator
from stresslab.core.errors import InputError
from stresslab.data.universes import Universes
from stresslab.runs.notices import of_copies
from stresslab.runs.shard_result import ShardResult, shard_result
from stresslab.strategy import load_strategies
from tests.make.bars import make_bars

BARS = make_bars(100)


def hold(bars: Any) -> Any:
    """Always in."""
    return bars.close > 0, bars.close < 0


def universes(*seeds: int, first: int = 0) -> Universes:
    """A universe of each seed, in this order."""
    values = np.stack([make_bars(40, seed=seed).values for seed in seeds]).astype(np.float32)
    stamps = BARS.calendar.future(BARS.timestamps, values.shape[1])
    return Universes(values, stamps, BARS, first + np.arange(len(seeds), dtype=np.int64))


EVALUATOR = Evaluator(tuple(load_strategies(hold, {})), Terms(), 252.0, keep_accounts=50, keep_going=True)


def test_copies_count_once() -> None:
    """Two hundred universes that are one and the same make one row, which supports no narrow interval."""
    outcome = shard_result(EVALUATOR, universes(*[3] * 200), kept=50)
    assert (outcome.universes, outcome.distinct, len(outcome.ids)) == (200, 1, 200)
    once = outcome.without_copies()
    assert (once.universes, once.distinct, len(once.found[0].metrics), len(once.first)) == (200, 1, 1, 1)
    account = once.found[0].account
    assert account is not None
    assert account.ids.tolist() == [0]
    assert of_copies(200, 1)[0].startswith("Only 1 of 200 universes is distinct")
    assert of_copies(200, 200) == []


def test_copies_across_shards_count_once(tmp_path: Path) -> None:
    """The first of several copies counts wherever it was sampled, after a stop too."""
    parts = [
        shard_result(EVALUATOR, universes(1, 2, 1, 1), kept=6),
        shard_result(EVALUATOR, universes(2, 4, 2, 1, first=4), kept=6),
    ]
    parts[1].save(tmp_path / "part.npz")
    outcome = ShardResult.merged([parts[0], ShardResult.load(tmp_path / "part.npz")]).without_copies()
    assert outcome.ids.tolist() == [0, 1, 5]
    assert outcome.found[0].metrics.index.tolist() == [0, 1, 5]
    np.testing.assert_array_equal(outcome.first, universes(1, 2, 4).values)


def test_a_universe_that_is_drawn_again_counts_again() -> None:
    """A bootstrap of few bars may draw the same bars twice; such draws are kept."""
    outcome = shard_result(EVALUATOR, universes(0, 1, 2, 3, 1), kept=3)
    assert (outcome.distinct, len(outcome.without_copies().ids)) == (4, 5)


def test_finished_universes_that_would_grow_are_refused(tmp_path: Path) -> None:
    """Compressed arrays, and members that claim more bytes than the file has, are refused before they are read."""
    path = tmp_path / "part.npz"
    shard_result(EVALUATOR, universes(1, 2), kept=6).save(path)
    with np.load(path) as arrays:
        content = dict(arrays)
    np.savez_compressed(path, **content, zeros=np.zeros(10_000_000))
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match="its arrays are compressed"):
        ShardResult.load(path)
    np.savez(path, **content)
    raw = bytearray(path.read_bytes())
    entry = raw.index(b"PK\x01\x02")
    raw[entry + 20 : entry + 28] = struct.pack("<II", 2**31, 2**31)  # of its directory's first entry
    path.write_bytes(raw)
    with pytest.raises(InputError, match="its arrays claim more bytes than it has"):
        ShardResult.load(path)
