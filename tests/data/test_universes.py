"""Universes in memory and on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from stresslab.core.errors import DataError
from stresslab.data.bars import FIELDS, Bars
from stresslab.data.universes import REAL, Universes, shards


@pytest.fixture
def universes(bars: Bars) -> Universes:
    """Seven universes of nine bars."""
    values = np.random.default_rng(1).uniform(1, 2, (7, 9, 6)).astype(np.float32)
    timestamps = bars.calendar.future(bars.timestamps, 9)
    return Universes(values, timestamps, bars, np.arange(7, dtype=np.int64), {"generator": {"name": "test"}})


def test_fields_are_frames_of_bars_by_universes(universes: Universes) -> None:
    """`.close` and its like are (T, N), indexed by time stamp and universe id."""
    for position, name in enumerate(FIELDS):
        frame = getattr(universes, name)
        assert frame.shape == (9, 7)
        assert frame.index.equals(universes.timestamps)
        assert list(frame.columns) == list(universes.ids)
        np.testing.assert_array_equal(frame.to_numpy(), universes.values[:, :, position].T)


def test_values_cannot_be_changed(universes: Universes) -> None:
    """A universe, once made, stays."""
    with pytest.raises(ValueError, match="read-only"):
        universes.values[0, 0, 0] = 1.0


def test_the_real_series_is_one_universe(bars: Bars) -> None:
    """A real continuation is a Universes with N = 1 and all its digits."""
    real = Universes.from_bars(bars[500:], bars[:500])
    assert list(real.ids) == [REAL]
    np.testing.assert_array_equal(real.values[0], bars.values[500:])


def test_parts_put_together_are_the_whole(universes: Universes) -> None:
    """Taking parts and concatenating them changes nothing."""
    whole = Universes.concatenate([universes.take([0, 1, 2]), universes.take(slice(3, None))])
    np.testing.assert_array_equal(whole.values, universes.values)
    np.testing.assert_array_equal(whole.ids, universes.ids)


@pytest.mark.parametrize("shard", [1, 3, 1000])
def test_shards_hold_every_bit(universes: Universes, tmp_path: Path, shard: int) -> None:
    """What is saved is loaded, in shards of any size, history and facts too."""
    paths = universes.save(tmp_path, shard=shard)
    assert len(paths) == -(-len(universes) // shard)
    loaded = Universes.load(tmp_path)
    np.testing.assert_array_equal(loaded.values, universes.values)
    np.testing.assert_array_equal(loaded.ids, universes.ids)
    assert loaded.timestamps.equals(universes.timestamps)
    assert loaded.history.digest == universes.history.digest
    assert loaded.facts == universes.facts


def test_a_shard_is_a_plain_table_for_others(universes: Universes, tmp_path: Path) -> None:
    """Each row is one bar: universe, step, time stamp and six float32 fields."""
    table = pq.read_table(universes.save(tmp_path)[0])
    assert table.column_names == ["universe", "step", "timestamp", *FIELDS]
    assert {str(table.schema.field(name).type) for name in FIELDS} == {"float"}
    assert table.num_rows == 7 * 9
    frame = table.to_pandas()
    row = frame[(frame["universe"] == 4) & (frame["step"] == 2)].iloc[0]
    assert row["close"] == universes.values[4, 2, 3]
    assert row["timestamp"] == universes.timestamps[2]


def test_a_folder_without_universes_is_named(tmp_path: Path) -> None:
    """A wrong folder gives one line that says what to name instead."""
    with pytest.raises(DataError, match="holds no universes; name a folder"):
        Universes.load(tmp_path)


def test_shapes_that_do_not_fit_are_refused(universes: Universes) -> None:
    """Ids, time stamps and values must belong together."""
    with pytest.raises(DataError, match="do not fit"):
        Universes(universes.values, universes.timestamps, universes.history, universes.ids[:3])


def test_shards_are_read_one_by_one(universes: Universes, tmp_path: Path) -> None:
    """Each file has its own universes and the history of all; another history written there later is read anew."""
    universes.save(tmp_path, shard=3)
    found = [Universes.load_shard(path) for path in shards(tmp_path)]
    assert [list(one.ids) for one in found] == [[0, 1, 2], [3, 4, 5], [6]]
    np.testing.assert_array_equal(found[1].values, universes.values[3:6])
    assert found[0].history is found[2].history
    other = Universes(universes.values, universes.timestamps, universes.history[:-1], universes.ids)
    other.save(tmp_path, shard=3)
    assert Universes.load_shard(shards(tmp_path)[0]).history.digest == other.history.digest
