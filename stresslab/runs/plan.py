"""What a run is to do, checked before it begins: the studies that are asked for, what computes them, and the record."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from stresslab.analysis.generator_sensitivity import check_tunable
from stresslab.analysis.limits import LimitPlan
from stresslab.analysis.permutation_test import PERMUTATIONS
from stresslab.analysis.sizes import SizePlan
from stresslab.analysis.verdict import Criteria
from stresslab.analysis.what_if_plan import WhatIfPlan
from stresslab.backtest import Terms
from stresslab.backtest.portfolio import check_portfolio
from stresslab.core.cache import Cache
from stresslab.core.errors import InputError
from stresslab.core.limits import chunk_size, parse_size
from stresslab.core.parallel import Workers
from stresslab.core.plain_json import recorded
from stresslab.core.randomness import check_seed
from stresslab.generators.base import Generator, check_horizon, universe_ids
from stresslab.realism import ORIGINS
from stresslab.runs.trial_ledger import Earlier
from stresslab.strategy import CALL_TIMEOUT_SECONDS, Strategy, load_strategies
from stresslab.strategy.parameters import grid_values


@dataclass(frozen=True)
class Studies:
    """What is asked beyond the distribution of results.

    Attributes:
        walk_forward: repeat the test from dates across the history: how many, a distance such as "3M", or months.
        alternative_generators: repeat it in universes of other generators, on matched volatility.
        generator_sweep: repeat it over the generator's temperature, top-p and context.
        trials: variants that were tried before these strategies were chosen; without it 20 are assumed at least.
        permutations: random orders of the real bars, at most, by which timing on them is judged; 0 leaves that out.
        precision: sample more universes until half the interval of every P(loss) is at most this.
        realism_origins: past origins at which the generator is compared with what followed; 0 leaves that out.
        portfolio: shares of the capital by name of the strategy, traded side by side and judged as one more result.
        sizes: limit on a drawdown, such as "P(drawdown > 20%) <= 5%", that the largest size is to keep.
        limits: that each strategy is held to.
        what_if: shocks that universes go on after, crises of the library, and conditions.
    """

    walk_forward: int | str | Sequence[str] | None = None
    alternative_generators: bool = False
    generator_sweep: bool = False
    trials: float | None = None
    permutations: int = PERMUTATIONS
    precision: float | None = None
    realism_origins: int = ORIGINS
    portfolio: Mapping[str, float] | None = None
    sizes: str | None = None
    limits: LimitPlan | None = None
    what_if: WhatIfPlan = field(default_factory=WhatIfPlan)

    def size_plan(self) -> SizePlan | None:
        """What sizes are asked for; None where they are not."""
        return None if self.sizes is None else SizePlan.of(self.sizes)


@dataclass(frozen=True)
class Compute:
    """What computes a run; nothing here changes a figure.

    Attributes:
        jobs: workers; 0 means one per processor.
        memory: that all processes together may take, such as "4GB"; no limit by default.
        cluster: samples universes and runs the strategies in them on these workers; see `stresslab.core.dask.connect`.
        work: folder that keeps finished universes; the same call with it goes on where it was stopped.
        ledger: folder of stored runs; variants that these tested on the same bars count as trials too. Of a run that is
            done again, what the ledger said.
        strategy_timeout: seconds that one call of a strategy's code may take.
        allow_failures: universes in which the code of a strategy may fail, and which its results then leave out.
        cache: whether universes that an earlier run sampled are read from the user's cache; or another cache.
    """

    jobs: int = 0
    memory: str | int | None = None
    cluster: Workers | None = None
    work: str | os.PathLike[str] | None = None
    ledger: str | os.PathLike[str] | Earlier | None = None
    strategy_timeout: float = CALL_TIMEOUT_SECONDS
    allow_failures: int = 0
    cache: bool | Cache = True

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        allowed = self.allow_failures
        if isinstance(allowed, bool) or not isinstance(allowed, int) or allowed < 0:
            raise InputError(f"allow_failures={allowed!r} is no number of universes; give 0 or more")

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return self.jobs or os.cpu_count() or 1

    @cached_property
    def store(self) -> Cache | None:
        """The cache; None where none is used."""
        return Cache.of_user() if self.cache is True else self.cache or None

    @property
    def folder(self) -> Path | None:
        """Where finished universes are kept."""
        return None if self.work is None else Path(self.work)


@dataclass(frozen=True)
class Plan:
    """Everything that a run does, checked.

    Attributes:
        strategies: loaded, a grid spread out.
        generator: makes the universes.
        universes: how many.
        horizon: bars of each.
        origin: last bar that the generator sees: a date, "end", or None for `horizon` bars before the end.
        seed: of the run.
        terms: of the accounts.
        studies: what is asked beyond the distribution.
        compute: what computes it.
        criteria: thresholds of the verdict.
        shares: of the portfolio; none without one.
        allow_lookahead: go on when a strategy looks ahead, and say so.
        accept_untrusted: judge on universes that the realism gate does not trust.
        config: the settings, as they are recorded.
    """

    strategies: tuple[Strategy, ...]
    generator: Generator
    universes: int
    horizon: int
    origin: str | pd.Timestamp | None
    seed: int
    terms: Terms
    studies: Studies
    compute: Compute
    criteria: Criteria
    allow_lookahead: bool
    accept_untrusted: bool
    shares: Mapping[str, float] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, strategy: Any, params: Mapping[str, Any] | None, grid: Mapping[str, Any] | None, **given: Any) -> Plan:
        """Load the strategies and check everything that can be checked before bars are looked at.

        Args:
            strategy: path, `path:name`, callable, or a list of these.
            params: keyword arguments of the strategies.
            grid: values by parameter.
            given: the other attributes; `config` holds what is recorded beside them.

        Raises:
            InputError: a setting or a strategy is wrong.
        """
        studies, compute = given["studies"], given["compute"]
        studies.size_plan()  # a limit that is none is refused
        given["horizon"], given["seed"] = check_horizon(given["horizon"]), check_seed(given["seed"])
        universe_ids(given["universes"], None)
        studies.what_if.check(given["horizon"], given["generator"])
        if studies.generator_sweep:
            check_tunable(given["generator"])
        loaded = load_strategies(strategy, dict(params or {}), grid, patience=compute.strategy_timeout)
        shares = check_portfolio(studies.portfolio, [one.name for one in loaded]) if studies.portfolio else {}
        config = given.pop("config") or {}
        plan = cls(strategies=tuple(loaded), shares=shares, **given)
        return cls(**vars(plan) | {"config": plan._recorded(dict(params or {}), grid) | recorded(config)})

    def _recorded(self, params: dict[str, Any], grid: Mapping[str, Any] | None) -> dict[str, Any]:
        """The settings as plain JSON."""
        studies, failures = self.studies, self.compute.allow_failures
        walk = studies.walk_forward
        settings = {
            "strategies": [one.name for one in self.strategies],
            "params": params,
            **({"grid": {name: grid_values(name, values) for name, values in grid.items()}} if grid else {}),
            **({"allow_failures": failures} if failures else {}),
            "universes": self.universes,
            "horizon": self.horizon,
            "origin": None if self.origin is None else str(self.origin),
            "seed": self.seed,
            "warmup": self.terms.warmup,
            "position": self.terms.position,
            **self.terms.recorded(),
            "allow_lookahead": self.allow_lookahead,
            "realism_origins": studies.realism_origins,
            "accept_untrusted": self.accept_untrusted,
            "portfolio": dict(self.shares) or None,
            "walk_forward": list(walk) if isinstance(walk, tuple | list) else walk,
            "alternative_generators": studies.alternative_generators,
            "generator_sweep": studies.generator_sweep,
            "trials": studies.trials,
            "permutations": studies.permutations,
            "precision": studies.precision,
            **({"sizes": studies.sizes} if studies.sizes else {}),
            **({"limits": studies.limits.recorded()} if studies.limits else {}),
            **{name: value for name, value in asdict(studies.what_if).items() if value},
        }
        plain: dict[str, Any] = recorded(settings)
        return plain

    def shard_size(self, symbols: int = 1) -> int:
        """Universes of so many symbols that are in memory at a time."""
        memory = self.compute.memory
        size = None if memory is None else parse_size(memory)
        return chunk_size(size, self.compute.workers, symbols * self.horizon, symbols * self.terms.warmup)
