"""The strategies of a stored run in its universes once more, with their accounts, from the run's folder alone.

Universe i of a seed is the same whatever it is sampled beside, so the accounts are those that the run measured; whether
they are is checked against `metrics.parquet`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stresslab.analysis.case import STUDIED, Benchmarks, Case
from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.analysis.result_models import Posterior
from stresslab.analysis.sides import Sides, sides
from stresslab.core.errors import InputError
from stresslab.core.safe_files import report_damage_of
from stresslab.data.bars import Bars
from stresslab.data.origin import split_at_origin
from stresslab.data.universes import Universes
from stresslab.metrics.edge_posterior import EdgePosterior, Evidence, Spells
from stresslab.runs.folder import load_run
from stresslab.runs.rerun import compared
from stresslab.runs.restore import Restored, finished
from stresslab.strategy import Strategy, load_strategies

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class RunStrategy:
    """One strategy of a stored run.

    Attributes:
        result: what the run found.
        strategy: its code.
        posterior: of its edge; None where there is none.
    """

    result: StrategyResult
    strategy: Strategy
    posterior: EdgePosterior | None


@dataclass(frozen=True, eq=False)
class StoredRun:
    """A stored run with everything that makes its universes again.

    Attributes:
        folder: of the run.
        result: what it found.
        was: what it was made of.
        strategies: those that were chosen.
    """

    folder: Path
    result: StressResult
    was: Restored
    strategies: tuple[RunStrategy, ...]

    @property
    def history(self) -> Bars:
        """Real bars up to the origin."""
        settings = self.was.settings
        return split_at_origin(self.was.bars, settings.origin, settings.horizon)[0]

    def universes(self, history: Bars | None = None, progress: Progress | None = None) -> Universes:
        """The first universes of the run, as many as its studies look at; after other bars where some are given."""
        settings, jobs = self.was.settings, self.was.settings.jobs or 1
        count = min(settings.universes, STUDIED)
        if progress is not None:
            progress("sampling", 0, count)
        made = self.was.generator.sample(history or self.history, settings.horizon, count, settings.seed, jobs=jobs)
        if progress is not None:
            progress("sampling", count, count)
        return made

    def case(self, one: RunStrategy, universes: Universes, benchmarks: Benchmarks) -> Case:
        """The case of a strategy in universes of the run."""
        settings = self.was.settings
        jobs = settings.jobs or 1
        return Case(
            one.strategy, universes, universes.history, settings.terms(), settings.seed, jobs, benchmarks=benchmarks
        )

    def accounts(self, progress: Progress | None = None) -> dict[str, Sides]:
        """The accounts of each strategy in the run's universes, by name.

        Raises:
            InputError: they are not those that the run measured.
        """
        universes, benchmarks = self.universes(progress=progress), Benchmarks()
        found = {}
        for at, one in enumerate(self.strategies):
            if progress is not None:
                progress("backtest", at, len(self.strategies))
            case = self.case(one, universes, benchmarks)
            self._check(one, case)
            found[one.result.name] = sides(case, one.posterior)
        if progress is not None:
            progress("backtest", len(self.strategies), len(self.strategies))
        return found

    def _check(self, one: RunStrategy, case: Case) -> None:
        """Refuse accounts that are not those of the run."""
        stored, now = one.result.metrics, case.metrics
        common = stored.index[stored.index.isin(now.index)]
        with report_damage_of(self.folder):
            then, again = (
                table.loc[common].reset_index(names="universe").assign(strategy="") for table in (stored, now)
            )
            rows, beyond, largest = compared(then, again[list(then.columns)])
        if beyond > 0.01 * rows:
            raise InputError(
                f"{beyond:,} of {rows:,} accounts of {one.result.name!r} are not those that {self.folder} stored (the "
                f"largest difference is {largest:.2g}); `stresslab rerun {self.folder}` says what differs"
            )


def stored_run(
    run: str | Path,
    names: Sequence[str] = (),
    *,
    jobs: int = 1,
    model: str | None = None,
) -> StoredRun:
    """A stored run, ready to be made again.

    Args:
        run: its folder.
        names: of strategies; those that were studied where there are none.
        jobs: processes.
        model: where Kronos' weights are now, if not where the run's settings say.

    Raises:
        InputError: the run has no such strategy, or its bars, strategies or weights have changed.
    """
    folder = Path(run)
    result, was = load_run(folder), finished(folder, jobs, model)
    settings = was.settings
    loaded = {
        one.name: one
        for one in load_strategies(
            list(settings.strategies), settings.param, settings.grid, patience=settings.strategy_timeout
        )
    }
    known = {one.name: one for one in result.strategies if one.name in loaded}
    for name in names:
        if name not in known:
            raise InputError(f"strategy {name!r} is none of {folder}; choose among {', '.join(known)}")
    studied = [one for one in known.values() if one.edge is not None] or list(known.values())
    chosen = [known[name] for name in names] or studied
    return StoredRun(folder, result, was, tuple(RunStrategy(one, loaded[one.name], _posterior(one)) for one in chosen))


def _posterior(result: StrategyResult) -> EdgePosterior | None:
    """The posterior of a stored edge."""
    stored: Posterior | None = None if result.edge is None else result.edge.posterior
    if stored is None:
        return None
    if not stored.evidence:
        raise InputError(
            f"the run of {result.name!r} was stored by an earlier version, which kept no evidence of the edge; run it "
            "again"
        )
    evidence = [Evidence(one.sharpe, one.error) for one in stored.evidence]
    spells = Spells(stored.spells.variance, stored.spells.bars)
    return EdgePosterior.again(evidence, stored.trials, stored.prior_sd, stored.inflation, spells, stored.null)
