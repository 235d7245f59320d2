"""An assessment of realism as plain text for the terminal: label, reasons, and tables of the evidence below.

A run prints the short form; here is everything that `stresslab realism` prints.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from stresslab.analysis.result_realism import RealismSection
from stresslab.realism import Realism, TemperatureFit
from stresslab.report.sections.provenance import day
from stresslab.report.sections.realism import COVERAGES, FACTS, NAMES, ROUND_TRIP, fact, plain, quantity, ratio, span
from stresslab.report.wording import UNDEFINED, defined, percent, share

WIDTH = 100


def render(found: Realism, fit: TemperatureFit | None = None) -> str:
    """What `stresslab realism` prints: lines of at most 100 columns.

    Args:
        found: the assessment.
        fit: how the temperature was chosen, where it was.
    """
    section = RealismSection.of(found.to_dict())
    blocks = [_head(section), *([_curve(fit)] if fit else []), _checks(section)]
    if section.origins:
        blocks += [_calibration(section), _facts(section), _growth(section)]
    blocks += [block for block in (_baselines(section), _diagnostics(section)) if block]
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block)


def _head(found: RealismSection) -> list[str]:
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
            plain(trial.crps, 4),
            f"{trial.worse:+.4f} ± {trial.error:.4f}",
            percent(trial.coverage_50),
            percent(trial.coverage_90),
        ]
        for trial in fit.trials
    ]
    heading = f"Temperature: {fit.temperature:g}, fitted at these {fit.origins} origins, which flatters what follows"
    table = _table(["T", "CRPS", "Worse than the best", "Inside 50%", "Inside 90%"], rows)
    return [heading, *textwrap.wrap(fit.reason, WIDTH, initial_indent="  ", subsequent_indent="  "), *table]


def _checks(found: RealismSection) -> list[str]:
    rows = []
    for check in found.checks:
        ends = (check.value, check.low, check.high, check.least, check.most)
        value, low, high, least, most = map(plain, ends)
        interval = UNDEFINED if low == high else span(low, high)
        rows.append([check.outcome, NAMES.get(check.name, check.name), value, interval, f"{least} to {most}"])
    return ["The gate", *_table(["Answer", "Check", "Value", "Interval", "Acceptable"], rows, left=2)] if rows else []


def _calibration(found: RealismSection) -> list[str]:
    """Share of outcomes inside the universes' intervals, with the 95% interval of the 90% one."""
    rows = []
    for name, row in found.quantities.items():
        inside = [row.coverage[level] for level in COVERAGES]
        wide = row.coverage["0.9"]
        sides = [row.coverage_calm, row.coverage_turbulent]
        rows.append(
            [
                quantity(name),
                *(percent(None if one is None else one.value) for one in inside),
                UNDEFINED if wide is None else span(percent(wide.low), percent(wide.high)),
                *(percent(None if one is None else one.value) for one in sides),
                plain(row.crps, 5),
                plain(row.tail_crps, 5),
            ]
        )
    headings = ["Inside", "50%", "80%", "90%", "98%", "90%: interval", "calm", "turbulent", "CRPS", "tail CRPS"]
    lines = ["Calibration: share of outcomes inside the universes' intervals", *_table(headings, rows)]
    return [*lines, f"  energy score of paths {plain(found.energy_score, 3)}", *_value_at_risk(found)]


def _value_at_risk(found: RealismSection) -> list[str]:
    """Exceedances of the value at risk at the horizon with their tests."""
    lines = []
    for level, row in found.quantities[f"return_{found.horizon}"].value_at_risk.items():
        at = f"  value at risk {share(1 - float(level))}"
        if row is None:
            lines.append(f"{at}: not assessable with {found.universes} universes")
            continue
        chance = row.christoffersen
        independent = f"p = {chance:.2f}" if chance is not None else "not assessable"
        lines.append(
            f"{at}: exceeded {row.count} times, {row.expected:.1f} expected; Kupiec p = {row.kupiec:.2f}, "
            f"independence {independent}"
        )
    return lines


def _facts(found: RealismSection) -> list[str]:
    rows = []
    for name, label in FACTS.items():
        row = found.stylized_facts[name]
        value, real, low, high = (fact(name, one) for one in (row.universes, row.real, row.real_low, row.real_high))
        rows.append([label, value, real, span(low, high)])
    return ["Stylised facts", *_table(["Fact", "Universes", "Real", "Real: 95% interval"], rows)]


def _growth(found: RealismSection) -> list[str]:
    rows = [
        [
            f"{row.last_price} against the past",
            str(row.origins),
            plain(row.universes, 3),
            plain(row.real, 3),
            span(plain(row.real_low, 3), plain(row.real_high, 3)),
        ]
        for row in found.growth
    ]
    headings = ["Last price", "Origins", "Universes", "Real", "Real: 95% interval"]
    return ["Mean price at the horizon over the last price", *_table(headings, rows)]


def _baselines(found: RealismSection) -> list[str]:
    """CRPS over that of other generators."""
    if not found.baselines:
        return []
    ranked = next((list(row.crps_ratio) for row in found.baselines.values() if row.crps_ratio), [])
    rows = [
        [
            quantity(name),
            *(ratio(other.crps_ratio.get(name)) for other in found.baselines.values()),
        ]
        for name in ranked
    ]
    headings = [
        "CRPS over that of",
        *(
            f"{name} ({other.origins} {'origin' if other.origins == 1 else 'origins'})"
            for name, other in found.baselines.items()
        ),
    ]
    return ["Beside other generators, at the same origins; below 1 is better", *_table(headings, rows)]


def _diagnostics(found: RealismSection) -> list[str]:
    trip = found.diagnostics.round_trip
    if not trip:
        return []
    return [
        f"{ROUND_TRIP} on real bars",
        f"  volatility {plain(trip.volatility_ratio)} times the real one; autocorrelation of returns at lag 1 "
        f"{plain(trip.lag_one, 3)}, real {plain(trip.lag_one_real, 3)} ({trip.bars:g} bars)",
    ]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Columns as wide as they need, the first `left` of them flush left."""
    widths = [max(len(line[column]) for line in [headings, *rows]) for column in range(len(headings))]
    lines = []
    for line in [headings, *rows]:
        pairs = enumerate(zip(line, widths, strict=True))
        cells = [cell.ljust(width) if column < left else cell.rjust(width) for column, (cell, width) in pairs]
        lines.append("  " + "  ".join(cells))
    return lines
