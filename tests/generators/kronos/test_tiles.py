"""Tiles on workers: memory that runs out, progress that adds up, work that ends when nobody waits for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from stresslab.core.errors import InputError
from stresslab.generators.kronos import tiles as batch
from stresslab.generators.kronos.generator import Kronos
from stresslab.generators.kronos.sampler import TILE, Sampler
from stresslab.generators.kronos.tiles import Meter, Stopped
from tests.generators.kronos.cases import case
from tests.make.bars import make_bars

WALK = make_bars(80)
KRONOS = Kronos(str(case("rolling_window").folder), context=40)


def short_of_memory(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Let a device hold but so many tiles, and let as many be tried as there are; returns what was tried."""
    tried, sample = [], Sampler.sample

    def limited(self: Sampler, tiles: Any, seed: int, **how: Any) -> Any:
        tried.append(len(tiles))
        if len(tiles) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return sample(self, tiles, seed, **how)

    monkeypatch.setattr(Sampler, "sample", limited)
    monkeypatch.setattr(batch, "_tiles_at_once", lambda _: 5)
    return tried


def test_batches_shrink_until_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a batch does not fit, its halves are sampled: every universe is there, and but rounded otherwise."""
    ids = [0, 70, 4 * TILE + 3]
    expected = KRONOS.sample(WALK, 12, 5 * TILE, ids=ids).values
    tried = short_of_memory(monkeypatch, most=2)
    told: list[int] = []
    made = KRONOS.sample(WALK, 12, 5 * TILE, progress=told.append).values
    assert tried == [5, 2, 3, 1, 2]
    np.testing.assert_allclose(made[ids], expected, rtol=1e-4, atol=1.0)
    assert sum(told) == 5 * TILE


def test_a_device_too_small_for_one_tile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line that names the device and the remedy."""
    short_of_memory(monkeypatch, most=0)
    with pytest.raises(InputError, match="device=cpu has no memory for 64 universes; give cpu") as caught:
        KRONOS.sample(WALK, 12, 2)
    assert "\n" not in str(caught.value)


def test_a_history_is_forgotten_after_its_last_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many histories only those at work are held prefilled: one worker holds one."""
    alive, most = set(), 0
    begin, sample = Sampler.__init__, Sampler.sample

    def counted(self: Sampler, *given: Any, **how: Any) -> None:
        begin(self, *given, **how)
        alive.add(id(self))

    def watched(self: Sampler, *given: Any, **how: Any) -> Any:
        nonlocal most
        most = max(most, len(alive))
        return sample(self, *given, **how)

    monkeypatch.setattr(Sampler, "__init__", counted)
    monkeypatch.setattr(Sampler, "sample", watched)
    monkeypatch.setattr(Sampler, "__del__", lambda self: alive.discard(id(self)), raising=False)
    KRONOS.sample_many([WALK[: 80 - number] for number in range(6)], 3, 70, jobs=1)
    assert most == 1


def test_the_meter_counts_whole_universes() -> None:
    """Bars add up to universes, none is told twice, and after the end there is no more."""
    told: list[int] = []
    meter = Meter(told.append, 4)
    for _ in range(4):
        meter.advance(3)
    assert sum(told) == 3
    meter.stopped.set()
    with pytest.raises(Stopped):
        meter.advance(1)
