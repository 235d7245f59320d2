"""Shards of universes: the same bytes in one piece, on other machines and when they are continued."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stresslab.core.errors import InputError
from stresslab.core.parallel import Workers
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes, shards
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.garch import Garch
from stresslab.generators.kronos.generator import Kronos
from stresslab.generators.sharded import SampleRequest, SampleTask, sample_shards

IDS = np.arange(3, dtype=np.int64)


@pytest.mark.parametrize("generator", [StationaryBootstrap(block=10), Kronos("nano", context=60, device="cpu")])
def test_shards_are_the_same_bytes_as_here(generator: Any, bars: Bars, cluster: Workers, tmp_path: Path) -> None:
    """Universes sampled by a cluster, in threads here, and at once."""
    settings = {"size": 64, "jobs": 2}
    wanted = SampleRequest(generator, bars, 6, 150, 3)
    ours = sample_shards(wanted, tmp_path / "here", **settings)
    theirs = sample_shards(wanted, tmp_path / "there", cluster=cluster, **settings)
    assert [path.read_bytes() for path in ours] == [path.read_bytes() for path in theirs]
    assert len(ours) == 3


def test_other_weights_on_a_worker_are_refused(bars: Bars) -> None:
    """A worker compares what its generator is with what the run's was."""
    task = SampleTask.of(StationaryBootstrap(block=10), bars, 5, 10, 0)
    assert task(IDS)[0].shape == (3, 5, 6)
    with pytest.raises(InputError, match="another block of bootstrap, 10 instead of 11"):
        replace(task, identity={**task.identity, "block": 11})(IDS)


def wanted(bars: Bars, **changes: Any) -> SampleRequest:
    """A hundred universes of six bars."""
    given = {"generator": StationaryBootstrap(block=10), "history": bars, "horizon": 6, "universes": 100, "seed": 3}
    return SampleRequest(**(given | changes))


def test_shards_hold_what_is_sampled_at_once(bars: Bars, tmp_path: Path) -> None:
    """In the order of their ids, with the history beside them; the last one holds the rest."""
    written = sample_shards(wanted(bars), tmp_path, size=40)
    assert written == shards(tmp_path)
    parts = [Universes.load_shard(path) for path in written]
    assert [len(part) for part in parts] == [40, 40, 20]
    whole = StationaryBootstrap(block=10).sample(bars, 6, 100, 3)
    assert np.array_equal(np.concatenate([part.values for part in parts]), whole.values)
    assert np.concatenate([part.ids for part in parts]).tolist() == list(range(100))
    assert all(part.history.digest == bars.digest for part in parts)


def test_what_is_missing_alone_is_sampled(bars: Bars, tmp_path: Path) -> None:
    """A shard that was lost comes back with the same bytes; the others are not touched, and progress counts them."""
    paths = sample_shards(wanted(bars), tmp_path, size=40)
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths]
    paths[1].unlink()
    counted: list[int] = []
    assert sample_shards(wanted(bars), tmp_path, size=40, progress=counted.append) == paths
    after = [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths]
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1][0] == before[1][0]
    assert (counted[0], sum(counted)) == (60, 100)


@pytest.mark.parametrize("change", [{"seed": 4}, {"horizon": 7}, {"universes": 90}, {"generator": Garch()}], ids=str)
def test_a_folder_of_other_universes_is_refused(bars: Bars, tmp_path: Path, change: dict[str, Any]) -> None:
    """Whatever decides their bytes differs; what is there stays."""
    paths = sample_shards(wanted(bars), tmp_path, size=40)
    before = [path.read_bytes() for path in paths]
    with pytest.raises(InputError, match=str(tmp_path)):
        sample_shards(wanted(bars, **change), tmp_path, size=40)
    assert [path.read_bytes() for path in paths] == before


@pytest.mark.parametrize("wrong", [{"horizon": 0}, {"seed": -1}, {"universes": 0}], ids=str)
def test_what_nobody_can_sample_is_refused_at_once(bars: Bars, wrong: dict[str, int]) -> None:
    """Before a folder is made, with the setting and its value."""
    ((name, value),) = wrong.items()
    with pytest.raises(InputError, match=f"{name}={value}"):
        wanted(bars, **wrong)


def test_a_task_makes_the_generator_again(bars: Bars) -> None:
    """From its settings, in another process: the universes of these ids are those of the generator itself."""
    generator = StationaryBootstrap(block=17)
    task = SampleTask.of(generator, bars, 6, 100, 3)
    values, facts = task(np.array([99, 5]))
    expected = generator.sample(bars, 6, 100, 3, ids=[99, 5])
    assert np.array_equal(values, expected.values)
    assert facts == expected.facts
