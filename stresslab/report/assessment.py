"""An assessment of realism as plain text for the terminal: label, reasons, and tables of the evidence below.

What a run says of it is `realism`'s business; here is everything that `stresslab realism` prints.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from stresslab.assessment import Realism, TemperatureFit
from stresslab.report.provenance import day
from stresslab.report.realism import NAMES
from stresslab.report.wording import UNDEFINED, defined, number, percent, share

WIDTH = 100
FACTS: Mapping[str, str] = {
    "volatility": "Volatility of a bar",
    "lag_one": "Autocorrelation of returns, lag 1",
    "clustering": "Autocorrelation of |returns|",
    "leverage": "Leverage: return with later |returns|",
    "kurtosis": "Kurtosis",
    "left_tail_index": "Tail index of losses",
    "right_tail_index": "Tail index of gains",
    "variance_ratio": "Variance ratio, 5 bars",
    "volume_volatility": "Volume with |return|",
}
"""What each stylised fact is called."""
COVERAGES = ("0.5", "0.8", "0.9", "0.98")


def render(found: Realism, fit: TemperatureFit | None = None) -> str:
    """What `stresslab realism` prints: lines of at most 100 columns.

    Args:
        found: the assessment.
        fit: how the temperature was chosen, where it was.
    """
    blocks = [_head(found), *([_curve(fit)] if fit else []), _checks(found)]
    if found.origins:
        blocks += [_calibration(found), _facts(found), _growth(found)]
    blocks += [block for block in (_baselines(found), _diagnostics(found)) if block]
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block)


def _head(found: Realism) -> list[str]:
    where = f"{found.origins} origins" if found.origins != 1 else "one origin"
    span = f", {day(found.start)} to {day(found.end)}" if found.origins else ""
    lines = [f"Realism: {found.label.upper()}", f"  {where}, {found.universes} universes of {found.horizon} bars{span}"]
    for sentence in (*found.reasons, *found.notes):
        lines += textwrap.wrap(defined(sentence), WIDTH, initial_indent="  - ", subsequent_indent="    ")
    return lines


def _curve(fit: TemperatureFit) -> list[str]:
    """The curve by which a temperature was chosen."""
    rows = [
        [
            f"{trial.temperature:g}{' *' if trial.temperature == fit.temperature else '  '}",
            _plain(trial.crps, 4),
            f"{trial.worse:+.4f} ± {trial.error:.4f}",
            percent(trial.coverage_50),
            percent(trial.coverage_90),
        ]
        for trial in fit.trials
    ]
    heading = f"Temperature: {fit.temperature:g}, fitted at these {fit.origins} origins, which flatters what follows"
    table = _table(["T", "CRPS", "Worse than the best", "Inside 50%", "Inside 90%"], rows)
    return [heading, *textwrap.wrap(fit.reason, WIDTH, initial_indent="  ", subsequent_indent="  "), *table]


def _checks(found: Realism) -> list[str]:
    rows = []
    for check in (check.to_dict() for check in found.checks):
        value, low, high, least, most = (_plain(check[key]) for key in ("value", "low", "high", "least", "most"))
        span = UNDEFINED if low in (high, UNDEFINED) or high == UNDEFINED else f"{low} to {high}"
        rows.append([check["outcome"], NAMES.get(check["name"], check["name"]), value, span, f"{least} to {most}"])
    return ["The gate", *_table(["Answer", "Check", "Value", "Interval", "Acceptable"], rows, left=2)] if rows else []


def _calibration(found: Realism) -> list[str]:
    """Share of outcomes inside the universes' intervals, with the 95% interval of the 90% one."""
    rows = []
    for name, row in found.calibration.items():
        if not isinstance(row, Mapping):
            continue
        inside = [row["coverage"][level] for level in COVERAGES]
        sides = [row["coverage_calm"], row["coverage_turbulent"]]
        rows.append(
            [
                name.replace("return_", "return, bar ").replace("_", " "),
                *(percent(one and one["value"]) for one in inside),
                f"{percent(inside[2]['low'])} to {percent(inside[2]['high'])}" if inside[2] else UNDEFINED,
                *(percent(one and one["value"]) for one in sides),
                _plain(row["crps"], 5),
                _plain(row["tail_crps"], 5),
            ]
        )
    headings = ["Inside", "50%", "80%", "90%", "98%", "90%: interval", "calm", "turbulent", "CRPS", "tail CRPS"]
    lines = ["Calibration: share of outcomes inside the universes' intervals", *_table(headings, rows)]
    return [*lines, f"  energy score of paths {_plain(found.calibration['energy_score'], 3)}", *_value_at_risk(found)]


def _value_at_risk(found: Realism) -> list[str]:
    """Exceedances of the value at risk at the horizon with their tests."""
    lines = []
    for level, row in found.calibration[f"return_{found.horizon}"]["value_at_risk"].items():
        at = f"  value at risk {share(1 - float(level))}"
        if row is None:
            lines.append(f"{at}: not assessable with {found.universes} universes")
            continue
        chance = row["christoffersen"]
        independent = f"p = {chance:.2f}" if chance is not None else "not assessable"
        lines.append(
            f"{at}: exceeded {row['count']} times, {row['expected']:.1f} expected; Kupiec p = {row['kupiec']:.2f}, "
            f"independence {independent}"
        )
    return lines


def _facts(found: Realism) -> list[str]:
    rows = []
    for name, label in FACTS.items():
        row = found.facts[name]
        digits = 4 if name == "volatility" else 3
        span = f"{_plain(row['real_low'], digits)} to {_plain(row['real_high'], digits)}"
        bounded = row["real_low"] is not None and row["real_high"] is not None
        sides = [_plain(row[side], digits) for side in ("universes", "real")]
        rows.append([label, *sides, span if bounded else UNDEFINED])
    return ["Stylised facts", *_table(["Fact", "Universes", "Real", "Real: 95% interval"], rows)]


def _growth(found: Realism) -> list[str]:
    rows = [
        [
            f"{row['last_price']} against the past",
            str(row["origins"]),
            _plain(row["universes"], 3),
            _plain(row["real"], 3),
            f"{_plain(row['real_low'], 3)} to {_plain(row['real_high'], 3)}" if row["real_low"] else UNDEFINED,
        ]
        for row in found.growth
    ]
    headings = ["Last price", "Origins", "Universes", "Real", "Real: 95% interval"]
    return ["Mean price at the horizon over the last price", *_table(headings, rows)]


def _baselines(found: Realism) -> list[str]:
    """CRPS over that of other generators."""
    if not found.baselines:
        return []
    names = list(found.baselines)
    quantities = next((list(row["crps_ratio"]) for row in found.baselines.values() if row["crps_ratio"]), [])
    rows = [
        [
            quantity.replace("return_", "return, bar ").replace("_", " "),
            *(_ratio(found.baselines[name]["crps_ratio"].get(quantity)) for name in names),
        ]
        for quantity in quantities
    ]
    headings = ["CRPS over that of", *(f"{name} ({found.baselines[name]['origins']} origins)" for name in names)]
    return ["Beside other generators, at the same origins; below 1 is better", *_table(headings, rows)]


def _diagnostics(found: Realism) -> list[str]:
    trip = found.diagnostics.get("round_trip")
    if not trip:
        return []
    return [
        "The tokenizer's round trip on real bars",
        f"  volatility {_plain(trip['volatility_ratio'])} times the real one; autocorrelation of returns at lag 1 "
        f"{_plain(trip['lag_one'], 3)}, real {_plain(trip['lag_one_real'], 3)} ({trip['bars']:g} bars)",
    ]


def _ratio(found: Mapping[str, float | None] | None) -> str:
    if not found:
        return UNDEFINED
    value, low, high = (_plain(found[key], 3) for key in ("value", "low", "high"))
    return value if UNDEFINED in (low, high) else f"{value} [{low}, {high}]"


def _plain(value: Any, digits: int = 2) -> str:
    if value is None:
        return UNDEFINED
    return number(value) if digits == 2 else f"{value:.{digits}f}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Columns as wide as they need, the first `left` of them flush left."""
    widths = [max(len(line[column]) for line in [headings, *rows]) for column in range(len(headings))]
    lines = []
    for line in [headings, *rows]:
        pairs = enumerate(zip(line, widths, strict=True))
        cells = [cell.ljust(width) if column < left else cell.rjust(width) for column, (cell, width) in pairs]
        lines.append("  " + "  ".join(cells))
    return lines
