"""Kronos as a generator of universes: bars in, thousands of continuations out, each kept and each drawn by itself.

It brings together bars, calendar, weights and sampler, each of which has its own module. Those that need torch are
imported when something is sampled: what was sampled before takes no torch. It is long because one class has all ways
to sample; what each does is elsewhere.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stresslab.core.errors import DataError, InputError
from stresslab.core.randomness import check_seed
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.joint_universes import JointUniverses
from stresslab.data.market import Market
from stresslab.data.market_index import IndexBars, as_given
from stresslab.data.universes import Universes
from stresslab.generators.base import Progress, check_horizon, check_inserted, universe_ids
from stresslab.generators.dependence import Dependence, Kind, check_dependence, own_seeds
from stresslab.generators.kronos.calendar_features import stamps
from stresslab.generators.kronos.checkpoint_files import CheckpointFiles, find_checkpoint
from stresslab.generators.kronos.device_name import device_name
from stresslab.generators.transforms import repaired

if TYPE_CHECKING:
    from stresslab.generators.kronos.checkpoint import Checkpoint
    from stresslab.generators.kronos.coupling import ReturnOrder
    from stresslab.generators.kronos.sampler import Networks
    from stresslab.generators.kronos.tiles import Plan, SampledHistory

MIN_BARS = 2


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
            window again for every bar, as the official code does. A context longer than the window always rolls.
        device: "auto", "cpu", "cuda" or another name torch knows.
        dtype: "float32", or "bfloat16" for a faster transformer where the processor has it: other universes of nearly
            the same distribution.
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
    dtype: Literal["float32", "bfloat16"] = "float32"
    dependence: Kind = "empirical"

    def __post_init__(self) -> None:
        """Check the settings."""
        if not isinstance(self.temperature, int | float) or not 0 < self.temperature <= 100:
            raise InputError(f"temperature={self.temperature} is outside (0, 100]; 1 is what the model learned")
        if not isinstance(self.top_p, int | float) or not 0 < self.top_p <= 1:
            raise InputError(f"top_p={self.top_p} is outside (0, 1]; 1 keeps every token")
        if not isinstance(self.top_k, int | np.integer) or self.top_k < 0:
            raise InputError(f"top_k={self.top_k} is not a number of tokens; 0 keeps every token")
        if self.context is not None and (not isinstance(self.context, int | np.integer) or self.context < MIN_BARS):
            raise InputError(
                f"context={self.context} is not a number of bars from {MIN_BARS} up; leave it out for the most possible"
            )
        if self.window not in ("block", "rolling"):
            raise InputError(f"window={self.window!r} is neither 'block' nor 'rolling'; leave it out for 'block'")
        if self.dtype not in ("float32", "bfloat16"):
            raise InputError(f"dtype={self.dtype!r} is neither float32 nor bfloat16; leave it out for float32")
        check_dependence(self.dependence)

    @overload
    def sample(
        self, bars: Market, horizon: int, universes: int, seed: int = 0, *,
        ids: Sequence[int] | None = None, jobs: int = 0, progress: Progress | None = None,
        log_probabilities: bool = False,
    ) -> JointUniverses: ...  # fmt: skip

    @overload
    def sample(
        self, bars: Bars, horizon: int, universes: int, seed: int = 0, *,
        ids: Sequence[int] | None = None, jobs: int = 0, progress: Progress | None = None,
        log_probabilities: bool = False,
    ) -> Universes: ...  # fmt: skip

    def sample(
        self,
        bars: Bars | Market,
        horizon: int,
        universes: int,
        seed: int = 0,
        *,
        ids: Sequence[int] | None = None,
        jobs: int = 0,
        progress: Progress | None = None,
        log_probabilities: bool = False,
    ) -> Universes | JointUniverses:
        """Sample continuations of `bars`; see `stresslab.generators.base.Generator`.

        Progress is called after every bar with how many universes' worth of work is newly done; with several jobs it
        is called from their threads, by one at a time. What it raises ends the sampling within a bar.

        Args:
            bars: the history; of a market, universes in which its symbols move together.
            horizon: number of bars to generate.
            universes: number of universes; their ids are 0 ... universes - 1.
            seed: whole number in [0, 2^64).
            ids: only these ids, in this order.
            jobs: threads; 0 means one per processor.
            progress: called with the number of universes newly finished.
            log_probabilities: whether to keep what probability the model itself, at temperature 1 and with nothing cut
                off, gives to each drawn token, given those before it.
        """
        if isinstance(bars, Market | IndexBars):
            market = bars if isinstance(bars, Market) else bars.market
            joint = self._sample_market(market, horizon, universes, seed, ids=ids, jobs=jobs, progress=progress)
            return as_given(joint, bars)
        return self.sample_many(
            [bars],
            horizon,
            universes,
            [seed],
            ids=ids,
            jobs=jobs,
            progress=progress,
            log_probabilities=log_probabilities,
        )[0]

    def sample_many(
        self,
        histories: Sequence[Bars],
        horizon: int,
        universes: int,
        seeds: int | Sequence[int] = 0,
        *,
        ids: Sequence[int] | None = None,
        jobs: int = 0,
        progress: Progress | None = None,
        log_probabilities: bool = False,
    ) -> list[Universes]:
        """Sample continuations of several histories: what `sample` gives for each, with all jobs busy to the end.

        Args:
            histories: origins of one market, or several markets.
            horizon: number of bars to generate.
            universes: number of universes of each history.
            seeds: one for all, or one of each history.
            ids: see `sample`; likewise the rest.
            jobs: threads; 0 means one per processor.
            progress: called with the number of universes newly finished.
            log_probabilities: whether to keep the tokens' log-probabilities.
        """
        horizon, wanted = check_horizon(horizon), universe_ids(universes, ids)
        each = [seeds] * len(histories) if isinstance(seeds, int | np.integer) else list(seeds)
        if len(each) != len(histories):
            raise InputError(f"{len(each)} seeds for {len(histories)} histories; give one for all, or one of each")
        each = [check_seed(seed) for seed in each]
        advice = self.advice(horizon)
        if advice is not None:
            warnings.warn(advice, stacklevel=2)
        origins = [self._origin(bars, horizon, seed) for bars, seed in zip(histories, each, strict=True)]
        plan = self._plan(horizon, log_probabilities)
        _sample_all(plan, origins, wanted, jobs, (progress, horizon))
        return [self._universes(origin, wanted) for origin in origins]

    def continued(
        self,
        universes: Universes,
        at: int,
        inserted: ArrayLike,
        seed: int = 0,
        *,
        jobs: int = 0,
        progress: Progress | None = None,
    ) -> Universes:
        """Go on after inserted bars, whose tokens the model reads in place of drawn ones; see `base.Continuing`.

        The inserted bars are encoded after each universe's own past. They stand exactly as given, and later bars follow
        from their last close and, where bars are scaled returns, from the volatility that includes them.
        """
        bars = check_inserted(universes, at, inserted, self.describe())
        origin = self._origin(universes.history, universes.horizon, check_seed(seed))
        from stresslab.generators.kronos.tiles import Inserted

        origin.inserted = Inserted.into(universes, at, bars)
        _sample_all(self._plan(universes.horizon), [origin], universes.ids, jobs, (progress, universes.horizon))
        origin.values[:, :at] = universes.values[:, :at]
        made = self._universes(origin, universes.ids)
        return replace(made, facts={**made.facts, "inserted": {"at": at, "bars": bars.shape[1]}})

    def _sample_market(
        self,
        market: Market,
        horizon: int,
        universes: int,
        seed: int,
        *,
        ids: Sequence[int] | None,
        jobs: int,
        progress: Progress | None,
    ) -> JointUniverses:
        """Continuations of several symbols: of a single one as `sample` gives them, of more with their dependence."""
        horizon, wanted, seed = check_horizon(horizon), universe_ids(universes, ids), check_seed(seed)
        count = len(market.series)
        seeds = own_seeds(seed, count) if self.dependence == "independent" else [seed] * count
        origins = [self._origin(bars, horizon, own) for bars, own in zip(market, seeds, strict=True)]
        described: dict[str, Any] = {"kind": self.dependence}
        if count > 1 and self.dependence != "independent":
            fitted = self.dependence_of(market, jobs)
            described = fitted.describe()
            from stresslab.generators.kronos.joint import couple

            couple(origins, fitted, seed)
        _sample_all(self._plan(horizon), origins, wanted, jobs, (progress, horizon * count))
        first = origins[0]  # of all symbols the same number of bars is seen
        facts = {
            "generator": self.describe(), "context": len(first.features), "window": first.window,
            "dependence": described,
        }  # fmt: skip
        return JointUniverses.join([self._universes(origin, wanted) for origin in origins], market, facts)

    def dependence_of(self, market: Market, jobs: int = 0) -> Dependence:
        """How the symbols of a market move together, fitted so that the simulated returns meet the real ones."""
        if market.digest not in self._fitted:
            from stresslab.generators.kronos.device import single_threaded
            from stresslab.generators.kronos.joint import PILOT, PILOT_HISTORY, fidelities

            first = market[:PILOT_HISTORY]
            if first.digest not in self._fidelities:
                origins = [self._origin(bars, PILOT, 0) for bars in first]
                with single_threaded():
                    self._fidelities[first.digest] = fidelities(origins, self._plan(PILOT), jobs)
            self._fitted[market.digest] = Dependence.fit(market, self._fidelities[first.digest], self.dependence)
        return self._fitted[market.digest]

    def adjusted(self, **settings: Any) -> Self:
        """The same generator with other settings of the sampling, sharing the weights that are already loaded."""
        other = replace(self, **settings)
        if (other.model, other.device) == (self.model, self.device):
            shared = ("files", "checkpoint", "return_order") + (("networks",) if other.dtype == self.dtype else ())
            vars(other).update({name: vars(self)[name] for name in shared if name in vars(self)})
        return other

    def round_trip(self, bars: Bars) -> dict[str, float | None]:
        """What turning real bars into tokens and back does to them; see `stresslab.generators.kronos.diagnostics`."""
        from stresslab.generators.kronos.diagnostics import round_trip

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
            "device": device_name(self.device),
            "dtype": self.dtype,
            "dependence": self.dependence,
        }
        return settings | self.files.describe()

    @property
    def calibration(self) -> Mapping[str, Any] | None:
        """What was measured of the weights on held-out series, where that was."""
        return self.files.calibration

    def advice(self, horizon: int) -> str | None:
        """Which context would sample so many bars several times as fast; None where none would."""
        window = self.files.max_context
        if self.context is None or self.context + horizon <= window or horizon > window - MIN_BARS:
            return None
        return (
            f"context={self.context} and {horizon} bars are more than the model's window of {window}, so half of it is "
            f"read again and again, at several times the cost; `context={window - horizon}` avoids that"
        )

    @cached_property
    def files(self) -> CheckpointFiles:
        """The files of the weights, which say what these are before they are loaded."""
        return find_checkpoint(self.model)

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The weights, loaded when they are first needed."""
        from stresslab.generators.kronos.checkpoint import load_files
        from stresslab.generators.kronos.device import find_device, single_threaded

        with single_threaded():  # many small tensors, which more threads would only wait for
            loaded, device = load_files(self.files), find_device(self.device)
        loaded.model.to(device)
        loaded.tokenizer.to(device)
        return loaded

    @cached_property
    def networks(self) -> Networks:
        """The weights rearranged for sampling."""
        import torch

        from stresslab.generators.kronos.device import single_threaded
        from stresslab.generators.kronos.sampler import Networks

        with single_threaded():
            return Networks(self.checkpoint.model, self.checkpoint.tokenizer, getattr(torch, self.dtype))

    @cached_property
    def return_order(self) -> ReturnOrder:
        """What each pair of tokens decodes to, computed once for each checkpoint."""
        from stresslab.generators.kronos.coupling import ReturnOrder
        from stresslab.generators.kronos.device import single_threaded

        with single_threaded():
            return ReturnOrder.of(self.networks.decoder, self.checkpoint.representation.close)

    @cached_property
    def _fitted(self) -> dict[str, Dependence]:
        """Dependences that were fitted, by the market's digest."""
        return {}

    @cached_property
    def _fidelities(self) -> dict[str, list[float]]:
        """What pilots found, by the digest of the bars that they continue."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process: all but the rearranged weights, which oneDNN packs for this one."""
        return {name: value for name, value in vars(self).items() if name != "networks"}

    def _plan(self, horizon: int, scored: bool = False) -> Plan:
        """What all histories of one sampling have in common."""
        from stresslab.generators.kronos.tiles import Plan
        from stresslab.generators.kronos.token_sampling import TokenSampling

        return Plan(
            self.networks,
            self.checkpoint.representation,
            self.files.max_context,
            TokenSampling(self.temperature, self.top_k, self.top_p),
            horizon,
            self.anchor,
            self._checked,
            scored,
            lambda: self.return_order,
        )

    def _origin(self, bars: Bars, horizon: int, seed: int) -> SampledHistory:
        """One history as the model sees it."""
        context = self._context(len(bars), horizon)
        features, state = self.checkpoint.representation.encode(bars.values, context)
        timestamps = bars.calendar.future(bars.timestamps, horizon)
        marks = np.concatenate([stamps(bars.timestamps[-context:]), stamps(timestamps)])
        window = "rolling" if context > self.files.max_context else self.window
        from stresslab.generators.kronos.tiles import SampledHistory

        return SampledHistory(bars, timestamps, features, state, marks, seed, window)

    def _universes(self, origin: SampledHistory, wanted: NDArray[np.int64]) -> Universes:
        """What was sampled from a history, with its facts."""
        facts = {
            "generator": self.describe(),
            "context": len(origin.features),
            "window": origin.window,
            "repaired_bars": origin.repairs,
        }
        if origin.touched is not None:
            facts["support_share"] = origin.touched / len(wanted)
        return Universes(
            origin.values, origin.timestamps, origin.bars, wanted, facts, log_probabilities=origin.log_probabilities
        )

    def _context(self, available: int, horizon: int) -> int:
        """Bars of history that the model sees: what leaves room for the horizon, but at least half its window."""
        if available < MIN_BARS:
            raise DataError(f"{available} bars of history are too few for kronos, which needs {MIN_BARS}; load more")
        if self.context is not None:
            if self.context > available:
                raise InputError(f"context={self.context} is more than the {available} bars of history; give fewer")
            return self.context
        window = self.files.max_context
        return min(available, max(window - horizon, window // 2, MIN_BARS))

    def _checked(self, values: NDArray[np.float64], history: Bars) -> tuple[NDArray[np.float64], int]:
        """Finite bars, repaired where that is wanted, and the number of repairs."""
        if not np.isfinite(values).all():
            raise DataError(
                f"model={self.model}: it sampled a price or volume that is not finite, at temperature="
                f"{self.temperature}; its weights are too large to be meant, or the temperature is: take another "
                "model, or lower the temperature"
            )
        return repaired(values, float(history.values[-1, CLOSE])) if self.repair else (values, 0)


def _sample_all(
    plan: Plan,
    origins: Sequence[SampledHistory],
    wanted: NDArray[np.int64],
    jobs: int,
    reported: tuple[Progress | None, int],
) -> None:
    """Sample every origin; progress is reported in units of so many bars."""
    from stresslab.generators.kronos.device import single_threaded
    from stresslab.generators.kronos.tiles import Meter, sample_all

    with single_threaded():
        sample_all(plan, origins, wanted, jobs, Meter(*reported))
