"""Small networks, short trainings and series of random walks."""

from __future__ import annotations

from dataclasses import replace

from stresslab.data.bars import Bars
from stresslab.generators.kronos.train.bar_files import Material, Sizes
from stresslab.generators.kronos.train.loop import Schedule
from tests.make.bars import make_bars

SIZES = Sizes(context=64, bits=4, tokenizer_width=8, tokenizer_layers=1, width=16, layers=1, heads=2)
SCHEDULE = Schedule(steps=4, batch=2, learning_rate=3e-3, save_every=2)
WALK = make_bars(400)


def named(symbol: str, first: int = 0, count: int = 400, seed: int | None = None) -> Bars:
    """A stretch of a random walk under a name."""
    bars = WALK if seed is None else make_bars(400, seed=seed)
    return replace(bars[first : first + count], symbol=symbol)


SERIES = [named(f"S{number:02}", seed=number) for number in range(12)]
MATERIAL = Material.of({"bars": SERIES}, {}, SIZES.context)
