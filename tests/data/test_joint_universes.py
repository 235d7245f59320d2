"""Joint universes: shapes that belong together, and the universes of one symbol among them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stresslab.core.errors import DataError
from stresslab.data.joint_universes import JointUniverses
from stresslab.data.market import Market
from stresslab.generators.bootstrap import StationaryBootstrap
from tests.make.bars import make_bars

MARKET = Market.align([replace(make_bars(301, seed=seed), symbol=symbol) for seed, symbol in enumerate("AB")])


def test_the_universes_of_one_symbol() -> None:
    """A symbol's universes, its frame and its part of the joint frame are the same numbers."""
    joint = StationaryBootstrap(block=5).sample(MARKET, 20, 6, seed=3)
    assert joint.values.shape == (6, 2, 20, 6)
    assert len(joint) == 6
    assert joint.horizon == 20
    np.testing.assert_array_equal(joint["B"].values, joint.values[:, 1])
    assert joint["B"].history.symbol == "B"
    assert joint["B"].facts["bars_seen"] == 301
    assert joint.close.shape == (20, 12)
    np.testing.assert_array_equal(joint.close["B"], joint["B"].close)


def test_parts_are_put_together_again() -> None:
    """Universes taken apart and laid together are the same."""
    joint = StationaryBootstrap(block=5).sample(MARKET, 20, 6, seed=3)
    again = JointUniverses.concatenate([joint.take([0, 1]), joint.take(slice(2, 6))])
    np.testing.assert_array_equal(again.values, joint.values)


def test_shapes_that_do_not_fit_are_refused() -> None:
    """Values of another number of symbols are an error."""
    with pytest.raises(DataError, match="do not fit"):
        JointUniverses(np.ones((2, 3, 301, 6)), MARKET.timestamps, MARKET, np.arange(2))


def test_they_are_saved_and_read_again(tmp_path: Path) -> None:
    """Shards hold what was sampled, symbol by symbol, with ids, facts and history; those of one series are refused."""
    joint = StationaryBootstrap(block=5).sample(MARKET, 20, 7, seed=3, ids=[6, 1, 3])
    assert [path.name for path in joint.save(tmp_path, shard=2)] == [
        "universes-000000000.parquet", "universes-000000002.parquet",
    ]  # fmt: skip
    again = JointUniverses.load(tmp_path)
    np.testing.assert_array_equal(again.values, joint.values.astype(np.float32))
    assert again.ids.tolist() == [6, 1, 3]
    assert again.history.digest == MARKET.digest
    assert again.history.symbols == MARKET.symbols
    assert again.timestamps.equals(joint.timestamps)
    assert again.facts["generator"] == joint.facts["generator"]
    joint["A"].save(tmp_path / "alone")
    with pytest.raises(DataError, match=r"one series; read them by Universes\.load"):
        JointUniverses.load(tmp_path / "alone")
