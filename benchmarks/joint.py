"""How well do several symbols move together? One table per market: laws, dependence, portfolios, and what it costs.

    python benchmarks/joint.py --data sample:crypto5
    python benchmarks/joint.py --data my_bars.parquet --symbols AAPL,MSFT,XOM --dependence student

Dependence and portfolios are measured at past origins, each fitted to the bars before it alone. Origins closer than a
horizon share outcomes: intervals resample horizons, with all origins in them. Scores and formulas are the package's.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

import stresslab as sl
from stresslab.core.arrays import FloatArray
from stresslab.data.joint_universes import JointUniverses
from stresslab.data.market import Market
from stresslab.generators.base import JointGenerator
from stresslab.generators.dependence import own_seeds
from stresslab.generators.kronos.generator import Kronos
from stresslab.metrics.forecast_scores import clustered_share, inside, pit
from stresslab.realism.joint_origins import JointOrigin, roll_market
from stresslab.realism.rolling_origins import CONTEXT

LEVEL, SCORED = 0.9, 20
LAW_BARS, PIECE = 20, 3
SEED = 2026


def laws(market: Market, generator: Kronos, universes: int) -> dict[str, Any]:
    """Kolmogorov-Smirnov p-values of each symbol alone and in company: returns and drawdowns of `LAW_BARS` bars."""
    joint = generator.sample(market, LAW_BARS, universes, SEED, jobs=2)
    values = {}
    for symbol, seed in zip(market.symbols, own_seeds(SEED + 1, len(market.series)), strict=True):
        alone = generator.sample(market[symbol], LAW_BARS, universes, seed, jobs=2)
        one, other = (_outcomes(part.values, market[symbol]) for part in (joint[symbol], alone))
        values[symbol] = [float(stats.ks_2samp(one[name], other[name]).pvalue) for name in ("return", "drawdown")]
    return {"p_values": values, "least": min(min(pair) for pair in values.values()), "tests": 2 * len(values)}


def _outcomes(values: NDArray[Any], history: sl.Bars) -> dict[str, FloatArray]:
    """Return and largest drawdown of each path (N,)."""
    closes = np.concatenate([np.full((len(values), 1), history.values[-1, 3]), values[:, :, 3]], axis=1)
    return {
        "return": closes[:, -1] / closes[:, 0],
        "drawdown": (closes / np.maximum.accumulate(closes, axis=1)).min(axis=1),
    }


def dependence(origins: list[JointOrigin]) -> dict[str, Any]:
    """Errors of correlations and ratios of joint losses and of sizes, over origins and pairs."""
    correlations, losses, sizes = (
        np.stack([getattr(one, name) for one in origins]) for name in ("correlations", "losses", "sizes")
    )  # (O, 2, P)
    mean = losses.mean(axis=0)
    return {
        "correlation_error": float(np.abs(correlations[:, 0] - correlations[:, 1]).mean()),
        "correlation_bias": float((correlations[:, 0] - correlations[:, 1]).mean()),
        "real_correlation": float(correlations[:, 1].mean()),
        "joint_losses": float(mean[0].sum() / mean[1].sum()),
        "joint_losses_by_pair": sorted((mean[0] / mean[1]).round(3).tolist()),
        "real_joint_losses": float(mean[1].mean()),
        "size_correlations": float(sizes[:, 0].mean() / sizes[:, 1].mean()),
        "real_size_correlation": float(sizes[:, 1].mean()),
    }


def portfolio(origins: list[JointOrigin], horizons: NDArray[np.int64], universes: int) -> dict[str, Any]:
    """Coverage of the equal-weight portfolio's return over the horizon, at origins that lie in these horizons."""
    ranks = [pit(one.portfolio.paths[:, -1], float(one.portfolio.real[-1])) for one in origins]
    found = clustered_share(inside(ranks, LEVEL, universes), horizons)
    return {
        "origins": len(origins), "horizons": len(np.unique(horizons)),
        "coverage": found.value, "low": found.low, "high": found.high,
    }  # fmt: skip


def spaced(market: Market, most: int, stride: int) -> list[int]:
    """Numbers of bars seen at each of the last origins, so many bars apart, with a full context before each."""
    return list(range(len(market) - SCORED, CONTEXT, -stride))[:most][::-1]


def energy(ours: list[JointOrigin], others: list[JointOrigin]) -> dict[str, Any]:
    """Energy score over that of the joint bootstrap at the same origins."""
    theirs = {one.portfolio.at: one.energy for one in others}
    shared = [(one.energy, theirs[one.portfolio.at]) for one in ours if one.portfolio.at in theirs]
    one, other = np.array(shared).T
    return {"origins": len(shared), "ratio": float(one.sum() / other.sum())}


def rolled(market: Market, generator: JointGenerator, ends: list[int], given: argparse.Namespace) -> list[JointOrigin]:
    """The origins, `PIECE` by `PIECE`; with `--keep` each piece is stored, and not sampled again."""
    found: list[JointOrigin] = []
    for start in range(0, len(ends), PIECE):
        piece = ends[start : start + PIECE]
        asked = [market.digest, generator.describe(), piece, given.at_origin, start]
        key = hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:24]
        path = None if given.keep is None else given.keep / f"{key}.pickle"
        if path is not None and path.exists():
            found += pickle.loads(path.read_bytes())
            continue
        made, _ = roll_market(market, generator, piece, SCORED, given.at_origin, seed=SEED + start, jobs=given.jobs)
        found += made
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_suffix(".partial")
            aside.write_bytes(pickle.dumps(list(made)))
            aside.replace(path)
    return found


def cost(market: Market, generator: Kronos, repeats: int = 5) -> dict[str, Any]:
    """Processor time of a bar of a symbol in company over that of a bar alone, in turns on one thread."""
    first, count = market[market.symbols[0]], len(market.series)
    generator.sample(market, SCORED, 64, SEED)  # the dependence is fitted once for a history
    ratios = []
    for _ in range(repeats):
        started = time.process_time()
        generator.sample(first, LAW_BARS, 256, SEED)
        alone = time.process_time()
        generator.sample(market, LAW_BARS, 256, SEED)
        ratios.append((time.process_time() - alone) / count / (alone - started))
    started = time.process_time()
    replace(generator).dependence_of(market)
    return {"symbols": count, "ratio": float(np.median(ratios)), "all": np.round(ratios, 3).tolist(),
            "fit_seconds": time.process_time() - started}  # fmt: skip


def same_everywhere(market: Market, generator: Kronos) -> bool:
    """Whether some universes have the same bytes alone, in another order and on another number of threads."""
    joint = generator.sample(market, SCORED, 200, SEED, jobs=2)
    some: JointUniverses = generator.sample(market, SCORED, 5000, SEED, ids=[199, 7], jobs=1)
    return bool((some.values == joint.values[[199, 7]]).all())


def table(found: dict[str, Any]) -> str:
    """What was found as a Markdown table: the model, beside the joint bootstrap at the same origins."""
    sides = [found["kronos"], found["bootstrap"]]
    joint, held = [side["dependence"] for side in sides], [side["portfolio"] for side in sides]
    pairs = [one["joint_losses_by_pair"] for one in joint]
    rows = [
        (
            f"mean absolute error of correlations (Spearman, one bar; real mean {joint[0]['real_correlation']:.2f})",
            "0.08", [f"{one['correlation_error']:.3f}" for one in joint],
        ),
        (
            "joint 5% losses of pairs, simulated over real: mean, least, most", "0.75 to 1.25",
            [f"{one['joint_losses']:.2f}, {by[0]:.2f}, {by[-1]:.2f}" for one, by in zip(joint, pairs, strict=True)],
        ),
        (
            "correlation of absolute returns, simulated over real", "",
            [f"{one['size_correlations']:.2f}" for one in joint],
        ),
        (
            f"90% intervals of the equal-weight portfolio's {SCORED}-bar return hold", "84% to 95%",
            [f"{one['coverage']:.0%} [{one['low']:.0%}, {one['high']:.0%}]" for one in held],
        ),
        ("energy score over the joint bootstrap's", "1.03", [f"{found['energy']['ratio']:.3f}", "1"]),
    ]  # fmt: skip
    if "laws" in found:
        name = f"a symbol alone and in company: least p-value of {found['laws']['tests']} Kolmogorov-Smirnov tests"
        rows.insert(0, (name, "above 0.01", [f"{found['laws']['least']:.3f}", ""]))
    if "cost" in found:
        name = f"cost of a symbol's bar over that of a bar alone, {found['cost']['symbols']} symbols, one thread"
        rows.append((name, "5", [f"{found['cost']['ratio']:.1f}", ""]))
    head = f"{found['market']}, {found['dependence']} dependence, {held[0]['origins']} origins"
    lines = [f"| {name} | {must} | {' | '.join(cells)} |" for name, must, cells in rows]
    return "\n".join([f"| {head} | must | found | joint bootstrap |", "|---|---|---|---|", *lines])


def main(arguments: list[str] | None = None) -> int:
    """Measure a market and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["sample:crypto5"])
    parser.add_argument("--symbols", help="of a table that holds more, separated by commas")
    parser.add_argument("--bars", type=int, help="the last common bars to use")
    parser.add_argument("--until")
    parser.add_argument("--model", default="nano")
    parser.add_argument("--dependence", default="empirical")
    parser.add_argument("--universes", type=int, default=2000, help="of the laws")
    parser.add_argument("--origins", type=int, default=100)
    parser.add_argument("--stride", type=int, default=SCORED, help="bars between origins")
    parser.add_argument("--at-origin", type=int, default=200, help="universes at each origin")
    parser.add_argument("--skip", default="", help="parts to leave out: laws, cost")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder of what was sampled, from which the benchmark goes on")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    sources = given.data
    if given.symbols:
        sources = [f"{given.data[0]}#{symbol}" for symbol in given.symbols.split(",")]
    market = sl.load_market(sources, until=given.until, repair=True)
    market = market[-given.bars :] if given.bars else market
    generator = Kronos(given.model, dependence=given.dependence)
    sys.stderr.write(f"{market!r}\n")
    found: dict[str, Any] = {"market": repr(market), "dependence": given.dependence}
    if "cost" not in given.skip:
        found["same_everywhere"] = same_everywhere(market, generator)
        found["cost"] = cost(market, generator)
        sys.stderr.write(f"cost {found['cost']}\n")
    ends = spaced(market, given.origins, given.stride)
    ours, others = (rolled(market, made, ends, given) for made in (generator, sl.StationaryBootstrap()))
    for name, origins in (("kronos", ours), ("bootstrap", others)):
        horizons = market.timestamps.get_indexer([one.portfolio.at for one in origins]) // SCORED
        found[name] = {"dependence": dependence(origins), "portfolio": portfolio(origins, horizons, given.at_origin)}
        sys.stderr.write(f"{name} {found[name]}\n")
    found["energy"], found["refused"] = energy(ours, others), len(ends) - len(ours)
    if "laws" not in given.skip:
        found["laws"] = laws(market, generator, given.universes)
    print(table(found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
