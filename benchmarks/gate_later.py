"""Does the gate's answer say anything about what comes later? Its label beside later coverage, series by series.

    python benchmarks/gate_later.py --data held_out/ --plan PLAN --keep rows.jsonl
    python benchmarks/gate_later.py --data later_bars/ --keep rows.jsonl

The last 30% of each series, at most `LATER` horizons of 40 bars, are set aside; the gate sees the 1,500 bars before
them and answers as in a run. Then universes are sampled at origins a horizon apart in the bars that were set aside.
Rows are kept, so that several collections make one table and an interrupted run goes on. Rank correlations are
Spearman's, their 95% intervals resample series, all generators of a series together.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import origins
from scipy import stats

from stresslab.core.errors import InputError
from stresslab.generators.base import Generator
from stresslab.metrics import forecast_scores, stylized_facts
from stresslab.realism import ASSESSED, UNIVERSES, assess_realism
from stresslab.realism.calibration import leads
from stresslab.realism.pooled import kind_of
from stresslab.realism.rolling_origins import Origin, roll

SEEN, SHARE, LATER = 1_500, 0.3, 16
LABELS = ("trusted", "no fault found", "not trusted")
"""The answers, from the best to the worst."""
FIGURES = {"volatility": 1.0, "coverage_90": 0.9, "spread": 1.0, "spread_horizon": 1.0, "drawdown": 0.0}
"""What the gate measured on the series, and what a perfect generator would have."""
DRAWS = 2_000


def row_of(series: origins.Series, generator: Generator, seed: int, jobs: int) -> dict[str, Any] | None:
    """The gate's answer before a date, and what followed after it; None for too short a series."""
    bars, horizon = series.bars, ASSESSED
    count = min(int(len(bars) * SHARE) // horizon, LATER)
    start = len(bars) - count * horizon
    if count < 4 or start < 500:
        return None
    found = assess_realism(bars[max(0, start - SEEN) : start], generator, horizon, seed=seed, jobs=jobs)
    ends = list(range(start, len(bars) - horizon + 1, horizon))
    later = roll(bars, generator, ends, horizon, UNIVERSES, seed=seed + 1, jobs=jobs).origins
    checks = {check.name: check.value for check in found.checks if check.name in FIGURES}
    return {
        "series": series.name,
        "kind": kind_of(bars),
        "generator": generator.name,
        "label": found.label,
        "checks": checks,
        "from": str(bars.timestamps[start]),
        "later": {"origins": len(later), **later_figures(later)},
    }


def later_figures(later: Sequence[Origin]) -> dict[str, float]:
    """Share of outcomes in 90% intervals, at all leads and at the last; volatility of universes over reality's."""
    held = []
    for one in later:
        ranks = [forecast_scores.pit(one.paths[:, at - 1], float(one.real[at - 1])) for at in leads(len(one.real))]
        held.append(forecast_scores.inside(ranks, 0.9, len(one.paths)))
    moved = [one for one in later if stylized_facts.volatility(one.real_returns) > 0]
    ratios = [stylized_facts.volatility(one.returns) / stylized_facts.volatility(one.real_returns) for one in moved]
    return {
        "coverage": float(np.mean(held)),
        "coverage_horizon": float(np.mean([one[-1] for one in held])),
        "volatility": float(np.exp(np.mean(np.log(ratios)))),
    }


def correlation(answers: Sequence[float], later: Sequence[float], series: Sequence[str]) -> str:
    """Spearman's, with the percentile interval from resampling series."""
    x, y = np.array(answers), np.array(later)
    _, index = np.unique(series, return_inverse=True)
    members = [np.flatnonzero(index == one) for one in range(index.max() + 1)]
    rng, drawn = np.random.default_rng(0), []
    for _ in range(DRAWS):
        rows = np.concatenate([members[one] for one in rng.integers(len(members), size=len(members))])
        if np.ptp(x[rows]) > 0 and np.ptp(y[rows]) > 0:
            drawn.append(stats.spearmanr(x[rows], y[rows]).statistic)
    if np.ptp(x) == 0 or not drawn:
        return "the same answer everywhere"
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{stats.spearmanr(x, y).statistic:+.2f} [{low:+.2f}, {high:+.2f}]"


def tables(rows: Sequence[dict[str, Any]]) -> str:
    """Later figures by label, and rank correlations of the gate's answers with later miscoverage."""
    names = sorted({row["generator"] for row in rows})
    lines = [
        "| generator | label | series | later coverage | at bar 40 | off by | later volatility |",
        "|" + "---|" * 7,
    ]
    for name in [*names, "all"]:
        of_name = [row for row in rows if name in ("all", row["generator"])]
        for label in LABELS:
            chosen = [row["later"] for row in of_name if row["label"] == label]
            if chosen:
                coverage, last, ratio = (
                    np.array([one[key] for one in chosen]) for key in ("coverage", "coverage_horizon", "volatility")
                )
                lines.append(
                    f"| {name} | {label} | {len(chosen)} | {coverage.mean():.1%} | {last.mean():.1%} | "
                    f"{np.abs(coverage - 0.9).mean():.1%} | {np.exp(np.log(ratio).mean()):.2f} |"
                )
    lines += ["", "| generator | gate's | with later miscoverage | at bar 40 | with later error of volatility |"]
    lines.append("|" + "---|" * 5)
    for name in [*names, "all"]:
        of_name = [row for row in rows if name in ("all", row["generator"])]
        series = [row["series"] for row in of_name]
        errors = [
            [abs(row["later"]["coverage"] - 0.9) for row in of_name],
            [abs(row["later"]["coverage_horizon"] - 0.9) for row in of_name],
            [abs(np.log(row["later"]["volatility"])) for row in of_name],
        ]
        answers = {"label": [float(LABELS.index(row["label"])) for row in of_name]} | {
            f"error of {key}": [abs(row["checks"][key] - right) for row in of_name] for key, right in FIGURES.items()
        }
        for said, answer in answers.items():
            cells = (correlation(answer, error, series) for error in errors)
            lines.append(f"| {name} | {said} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    origins.arguments(parser)
    given = parser.parse_args(arguments)
    if given.keep is None:
        parser.error("--keep FILE is needed: the rows, one JSON object a line")
    done = [json.loads(line) for line in given.keep.read_text().splitlines()] if given.keep.exists() else []
    known = {(row["series"], row["generator"]) for row in done}
    try:
        generators = origins.generators_of(given)
        for series in origins.read_series(given):
            for name, generator in generators.items():
                if (series.name, generator.name) in known:
                    continue
                row = row_of(series, generator, given.seed, given.jobs)
                sys.stderr.write(f"{series.name} {name}: {'too short' if row is None else row['label']}\n")
                if row is not None:
                    done.append(row)
                    with given.keep.open("a", encoding="utf-8") as kept:
                        kept.write(json.dumps(row) + "\n")
    except InputError as error:
        parser.error(str(error))
    sys.stdout.write(tables(done) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
