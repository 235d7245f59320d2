"""What a stress test found: facts only; the report shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.analysis.result_document import FORMAT_VERSION, DataSummary, ResultDocument, Run, Strategy
from stresslab.analysis.result_dossier import Dossier
from stresslab.analysis.result_models import Edge, LookAhead, Luck, UniverseSummary, Verdict
from stresslab.analysis.result_realism import NotAssessed, RealismSection
from stresslab.analysis.result_studies import RunStudies, StrategyStudies
from stresslab.core.display import Plotted, presenter
from stresslab.core.plain_json import recorded
from stresslab.data.bars import Bars

LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Quantiles of the fans."""


@dataclass(frozen=True)
class StrategyResult(Plotted):
    """One strategy over all universes.

    Attributes:
        name: as shown.
        parameters: keyword arguments it ran with.
        verdict: label, reasons and checks.
        backtest: measures on the real bars before the origin, NaN where one is undefined.
        realised: measures on the real bars after the origin, or None without a full horizon of them.
        universes: the distribution over all universes.
        luck: where the realised outcome falls among the universes.
        metrics: one row per universe, one column per measure.
        lookahead: what the look-ahead check covered and found.
        equity_fan: quantiles of the equity, (T + 1) rows, one column per level.
        realised_equity: (T + 1,) equity on the real bars after the origin, or None.
        replays: what really followed and the universes in which it lost most, bar by bar, as `backtest.bar_records`
            keeps them; None without them.
        track: the account on the real bars before the origin, and buy and hold, as `metrics.track_record` keeps them.
        source: where its code was, and the SHA-256 of that: `{"path": ..., "sha256": ...}`; None where that is unknown.
        edge: whether it adds anything beyond its exposure, with every check; None where that was not asked.
        studies: what else was asked of it.
    """

    name: str
    parameters: dict[str, Any]
    verdict: Verdict
    backtest: dict[str, float]
    realised: dict[str, float] | None
    universes: UniverseSummary
    luck: Luck
    metrics: pd.DataFrame
    lookahead: LookAhead
    equity_fan: pd.DataFrame
    realised_equity: pd.Series[float] | None
    replays: pd.DataFrame | None = None
    track: pd.DataFrame | None = None
    source: Mapping[str, Any] | None = None
    edge: Edge | None = None
    studies: StrategyStudies = field(default_factory=StrategyStudies)

    @property
    def realised_return(self) -> float | None:
        """Total return on the real bars after the origin; None where there is none."""
        return None if self.realised is None else self.realised["total_return"]

    @property
    def backtest_return(self) -> float:
        """Total return on the real bars before the origin."""
        return self.backtest["total_return"]

    def realised_of(self, measure: str) -> float | None:
        """A measure on the real bars after the origin; None where there are none."""
        return None if self.realised is None else self.realised[measure]

    def backtest_of(self, measure: str) -> float:
        """A measure on the real bars before the origin."""
        return self.backtest[measure]

    def document(self) -> Strategy:
        """This strategy's entry in `result.json`."""
        return Strategy(
            name=self.name,
            parameters=recorded(self.parameters),
            verdict=self.verdict,
            backtest=dict(self.backtest),
            realised=None if self.realised is None else dict(self.realised),
            universes=self.universes,
            edge=self.edge,
            studies=self.studies,
            luck=self.luck,
            lookahead=self.lookahead,
        )

    def __repr__(self) -> str:
        """One line: name and verdict."""
        loss, count = self.universes.probability_of_loss.value, self.universes.count
        return f"StrategyResult({self.name}: {self.verdict.label}, lost in {loss:.1%} of {count:,} universes)"


@dataclass(frozen=True)
class Stamp:
    """What distinguishes a stored run from others: its name, when it was stored, and the hash of its manifest."""

    run: str
    created: str
    manifest: str


@dataclass(frozen=True)
class StressResult(Plotted):
    """One stress test: strategies, the universes, and the real bars beside them.

    Attributes:
        config: the settings, as plain JSON.
        bars: the real bars around the origin that are drawn.
        origin: time stamp of the last real bar the generator saw.
        horizon: generated bars T.
        universes_count: N.
        fan: quantiles of the universes' closes, (T,) rows, one column per level.
        sample_paths: closes of a few universes, (k, T).
        data: what the loaded data were: source, symbol, span, rows, calendar, notices, digest.
        generator: what decided the universes: settings, hashes, training cut-off.
        generator_facts: what came of it: repaired bars, context used.
        in_sample: whether the generator was trained on dates after the origin; None where it was not trained.
        realism: whether the universes behave like this market; None where that was not assessed.
        notices: what a reader must know.
        strategies: in the order given.
        timings: seconds per stage.
        environment: versions and machine.
        studies: what is known of all strategies together: paired differences, correlations, selection.
        failed: why strategies that were to take part have no result, by name; not part of `result.json`, whose notices
            say it.
        tested: what is entered in the ledger beside the runs when this is stored, once; None for a run that was
            read, or done again. Not part of `result.json`.
        stamp: of the stored run; None for one that is not stored. Not part of `result.json`.
        dossier: facts that a report adds for a committee; None without them. Not part of `result.json`.
    """

    config: dict[str, Any]
    bars: Bars
    origin: pd.Timestamp
    horizon: int
    universes_count: int
    fan: pd.DataFrame
    sample_paths: NDArray[np.float64]
    data: DataSummary
    generator: dict[str, Any]
    generator_facts: dict[str, Any]
    in_sample: bool | None
    realism: RealismSection | None
    notices: list[str]
    strategies: list[StrategyResult]
    timings: dict[str, float]
    environment: dict[str, Any]
    studies: RunStudies = field(default_factory=RunStudies)
    failed: Mapping[str, str] = field(default_factory=dict)
    tested: Mapping[str, Any] | None = None
    stamp: Stamp | None = None
    dossier: Dossier | None = None

    @property
    def history(self) -> Bars:
        """The drawn bars up to the origin."""
        return self.bars[: int(self.bars.timestamps.searchsorted(self.origin, side="right"))]

    @property
    def future(self) -> Bars | None:
        """The real bars after the origin, at most `horizon`, or None."""
        after = int(self.bars.timestamps.searchsorted(self.origin, side="right"))
        return self.bars[after : after + self.horizon] if after < len(self.bars) else None

    @property
    def metrics(self) -> pd.DataFrame:
        """One row per (strategy, universe): columns strategy, universe, then the measures."""
        parts = []
        for strategy in self.strategies:
            part = strategy.metrics.reset_index(names="universe")
            part.insert(0, "strategy", strategy.name)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    @property
    def init_cash(self) -> float:
        """Cash that each account begins with."""
        return float(self.config["init_cash"])

    @property
    def seed(self) -> int | None:
        """The seed of the universes, where it was recorded."""
        return self.config.get("seed")

    @property
    def grid(self) -> dict[str, list[Any]]:
        """Values by parameter of a grid; empty where there was none."""
        return dict(self.config.get("grid") or {})

    @property
    def command(self) -> str:
        """The command line that makes the run again; empty where it was not started from one."""
        return str(self.config.get("command") or "")

    def document(self) -> ResultDocument:
        """The content of `result.json`."""
        return ResultDocument(
            format_version=FORMAT_VERSION,
            run=Run(
                config=self.config,
                data=self.data,
                origin=str(self.origin),
                horizon=self.horizon,
                universes=self.universes_count,
                generator=self.generator,
                generator_facts=self.generator_facts,
                in_sample=self.in_sample,
                notices=tuple(self.notices),
            ),
            strategies=tuple(strategy.document() for strategy in self.strategies),
            studies=self.studies,
            realism=self.realism or NotAssessed(),
        )

    def to_dict(self) -> dict[str, Any]:
        """The content of `result.json` as plain JSON."""
        return self.document().to_dict()

    def save(self, folder: str | Path = "reports") -> Path:
        """Write the run's folder below `folder` and return its path."""
        return presenter().save(self, Path(folder))

    def __repr__(self) -> str:
        """One line: how many universes of what, and the verdicts."""
        labels = ", ".join(f"{one.name} {one.verdict.label}" for one in self.strategies)
        return f"StressResult({self.data.symbol}, {self.universes_count:,} universes of {self.horizon} bars: {labels})"

    def __str__(self) -> str:
        """The verdicts first, the evidence below."""
        return presenter().text(self)
