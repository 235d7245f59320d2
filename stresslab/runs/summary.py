"""The last step of a run: everything that was found, in one result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.result import LEVELS, StressResult
from stresslab.analysis.result_document import DataSummary
from stresslab.analysis.result_realism import RealismSection
from stresslab.analysis.result_studies import RunStudies
from stresslab.analysis.strategy_run import StrategyRun
from stresslab.core.progress import Stages
from stresslab.data.bars import FIELDS, describe_data
from stresslab.realism import Realism
from stresslab.runs import notices
from stresslab.runs.admission import suited_to
from stresslab.runs.environment import environment
from stresslab.runs.plan import Plan
from stresslab.runs.steps import Sample, Studied, Window
from stresslab.runs.trial_ledger import Earlier

DRAWN_HISTORY = 250
"""Bars before the origin that a result keeps for its pictures, at least."""
SAMPLE_PATHS = 30


def summarise(
    runs: list[StrategyRun],
    failed: Mapping[str, str],
    studied: Studied,
    sample: Sample,
    realism: Realism | None,
    plan: Plan,
    window: Window,
    stages: Stages,
) -> StressResult:
    """Everything that a run found, and what a reader must know before relying on it."""
    history, first = window.history, sample.first
    described = plan.generator.describe()
    trained = described.get("trained_until")
    in_sample = None if trained is None else bool(first.timestamps[0].normalize() <= pd.Timestamp(trained))
    quantiles, ledger = sample.result.closes.quantiles(LEVELS), plan.compute.ledger
    own = float(studied.together["selection"]["own_trials"])
    begins = max(0, len(history) - max(DRAWN_HISTORY, 2 * plan.horizon))
    tested: dict[str, Any] = replace(studied.entry, trials=min(own, studied.entry.trials)).to_dict()
    return StressResult(
        config=dict(plan.config),
        bars=window.bars[begins : len(history) + plan.horizon],
        origin=history.timestamps[-1],
        horizon=plan.horizon,
        universes_count=sample.result.universes,
        fan=pd.DataFrame(quantiles, index=first.timestamps, columns=[str(level) for level in LEVELS]),
        sample_paths=first.values[:SAMPLE_PATHS, :, FIELDS.index("close")].astype(np.float64),
        data=DataSummary.of(describe_data(window.bars)),
        generator=described,
        generator_facts=dict(first.facts),
        in_sample=in_sample,
        realism=None if realism is None else RealismSection.of(realism.to_dict()),
        notices=[
            *window.bars.notices,
            *suited_to(window.bars, plan.strategies)[1],
            *notices.of_generator(described, in_sample),
            *notices.of_copies(sample.result.universes, len(sample.result.ids)),
            *notices.of_long_history(len(history), plan.studies.permutations),
            *notices.of_future(window.future, plan.horizon),
            *notices.of_lookahead(runs),
            *notices.of_lookback(runs, history, plan.terms.warmup, plan.horizon),
            *notices.of_orders(runs),
            *notices.of_calls(runs),
            *(f"No result: {why}." for why in failed.values()),
            *studied.notes,
            *notices.of_unassessed(studied.results),
            *notices.of_ledger(studied.earlier, studied.trials.count),
            *notices.of_realism(realism, plan.accept_untrusted),
            *(realism.notes if realism is not None else ()),
        ],
        strategies=studied.results,
        studies=RunStudies.of(studied.together),
        failed=failed,
        tested=None if isinstance(ledger, Earlier) else tested,
        timings=stages.taken(),
        environment=environment(),
    )
