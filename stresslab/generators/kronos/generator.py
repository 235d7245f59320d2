"""Kronos as a generator of universes: bars in, thousands of continuations out, each kept and each drawn by itself.

Here bars, calendar, weights and sampler meet; what each does is its own module's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from stresslab.data.bars import FIELDS, Bars
from stresslab.errors import DataError, InputError
from stresslab.execution import chunks, map_chunks
from stresslab.generators.base import Progress, check_horizon, universe_ids
from stresslab.generators.kronos.checkpoint import Checkpoint, load_checkpoint
from stresslab.generators.kronos.device import find_device
from stresslab.generators.kronos.diagnostics import round_trip, touching
from stresslab.generators.kronos.representation import Levels
from stresslab.generators.kronos.sampler import TILE, Choice, Sampler, single_threaded
from stresslab.generators.kronos.stamps import stamps
from stresslab.generators.repair import CLOSE, repaired
from stresslab.randomness import check_seed
from stresslab.universes import Universes

LEAST_BARS = 2


@dataclass(frozen=True)
class Kronos:
    """Samples universes from an autoregressive model whose tokens are candlesticks (Shi et al. 2025, arXiv 2508.02739).

    Attributes:
        model: "nano" (bundled), an id on the hub such as "NeoQuasar/Kronos-small", or a folder with `model/` and
            `tokenizer/`.
        temperature: of both tokens; 1 is what the model learned.
        top_p: nucleus of each token; 1 keeps all. Below 1 cuts the tails, and so understates risk.
        top_k: number of likeliest tokens to keep; 0 keeps all, above 0 it switches `top_p` off.
        context: bars of history that the model sees; None for the most that leave room for the horizon in its window.
        anchor: let the universes start at the last real close, not at the tokenizer's rendering of it.
        repair: make impossible bars possible and negative volumes zero, and count them.
        window: beyond the model's window, "block" drops half of it and prefills again; "rolling" computes the whole
            window anew for every bar, as the official code does. A context longer than the window always rolls.
        device: "auto", "cpu", "cuda" or another name torch knows.
    """

    name: ClassVar[str] = "kronos"
    model: str = "nano"
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    context: int | None = None
    anchor: bool = True
    repair: bool = True
    window: Literal["block", "rolling"] = "block"
    device: str = "auto"

    def __post_init__(self) -> None:
        """Check the settings."""
        if not isinstance(self.temperature, int | float) or not 0 < self.temperature <= 100:
            raise InputError(f"temperature={self.temperature} is outside (0, 100]; 1 is what the model learned")
        if not isinstance(self.top_p, int | float) or not 0 < self.top_p <= 1:
            raise InputError(f"top_p={self.top_p} is outside (0, 1]; 1 keeps every token")
        if not isinstance(self.top_k, int | np.integer) or self.top_k < 0:
            raise InputError(f"top_k={self.top_k} is not a number of tokens; 0 keeps every token")
        if self.context is not None and (not isinstance(self.context, int | np.integer) or self.context < LEAST_BARS):
            raise InputError(
                f"context={self.context} is no number of bars from {LEAST_BARS} up; leave it out for the most that fits"
            )
        if self.window not in ("block", "rolling"):
            raise InputError(f"window={self.window!r} is neither 'block' nor 'rolling'; leave it out for 'block'")

    def sample(
        self,
        bars: Bars,
        horizon: int,
        universes: int,
        seed: int = 0,
        *,
        ids: Sequence[int] | None = None,
        jobs: int = 1,
        progress: Progress | None = None,
    ) -> Universes:
        """Sample continuations of `bars`; see `stresslab.generators.base.Generator`."""
        horizon, seed, wanted = check_horizon(horizon), check_seed(seed), universe_ids(universes, ids)
        checkpoint, context = self.checkpoint, self._context(len(bars), horizon)
        features, state = checkpoint.representation.encode(bars.values, context)
        timestamps = bars.calendar.future(bars.timestamps, horizon)
        marks = np.concatenate([stamps(bars.timestamps[-context:]), stamps(timestamps)])
        values = np.empty((len(wanted), horizon, len(FIELDS)), dtype=np.float32)
        window, repairs = "rolling" if context > checkpoint.max_context else self.window, 0
        bounded, touched = isinstance(checkpoint.representation, Levels), 0
        with single_threaded():
            sampler = Sampler(
                checkpoint.model,
                checkpoint.tokenizer,
                features,
                marks,
                horizon=horizon,
                max_context=checkpoint.max_context,
                choice=Choice(self.temperature, self.top_k, self.top_p),
                window=window,
            )

            def tile(number: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
                decoded, seam = sampler.tile(int(number[0]), seed)
                made = checkpoint.representation.decode(decoded, state, seam if self.anchor else None)
                return made, touching(checkpoint.representation, decoded)

            tiles = wanted // TILE
            numbers = chunks(np.unique(tiles), 1)
            for position, (made, at_end) in map_chunks(tile, numbers, jobs=jobs, threads=True):
                here = np.flatnonzero(tiles == numbers[position])
                values[here], changed = self._checked(made[wanted[here] % TILE], bars)
                repairs += changed
                touched += 0 if at_end is None else int(at_end[wanted[here] % TILE].sum())
                if progress is not None:
                    progress(len(here))
        facts = {"generator": self.describe(), "context": context, "window": window, "repaired_bars": repairs}
        if bounded:
            facts["support_share"] = touched / len(wanted)
        return Universes(values, timestamps, bars, wanted, facts)

    def adjusted(self, **settings: Any) -> Self:
        """The same generator with other settings of the sampling, sharing the weights that are already loaded."""
        other = replace(self, **settings)
        if "checkpoint" in vars(self) and (other.model, other.device) == (self.model, self.device):
            vars(other)["checkpoint"] = self.checkpoint
        return other

    def round_trip(self, bars: Bars) -> dict[str, float | None]:
        """What turning real bars into tokens and back does to them; see `stresslab.generators.kronos.diagnostics`."""
        return round_trip(self.checkpoint, bars)

    def describe(self) -> dict[str, Any]:
        """The settings and weights that decide what is sampled, as plain JSON."""
        settings = {
            "name": self.name,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "context": self.context,
            "anchor": self.anchor,
            "repair": self.repair,
            "window": self.window,
            "device": str(find_device(self.device)),
            "precision": "float32",
        }
        return settings | self.checkpoint.describe()

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The weights, loaded when they are first needed."""
        loaded, device = load_checkpoint(self.model), find_device(self.device)
        loaded.model.to(device)
        loaded.tokenizer.to(device)
        return loaded

    def _context(self, available: int, horizon: int) -> int:
        """Bars of history that the model sees: what leaves room for the horizon, but at least half its window."""
        if available < LEAST_BARS:
            raise DataError(f"{available} bars of history are too few for kronos, which needs {LEAST_BARS}; load more")
        if self.context is not None:
            if self.context > available:
                raise InputError(f"context={self.context} is more than the {available} bars of history; give fewer")
            return self.context
        window = self.checkpoint.max_context
        return min(available, max(window - horizon, window // 2, LEAST_BARS))

    def _checked(self, values: NDArray[np.float64], history: Bars) -> tuple[NDArray[np.float64], int]:
        """Finite bars, repaired where that is wanted, and the number of repairs."""
        if not np.isfinite(values).all():
            raise DataError(
                f"model={self.model}: it sampled a price or volume that is not finite, at temperature="
                f"{self.temperature}; lower the temperature, or take another model"
            )
        return repaired(values, float(history.values[-1, CLOSE])) if self.repair else (values, 0)
