"""The tables of the realism section: coverage, scores, stylised facts, growth, and what the generator says of itself.

The evidence is that of the result; a table without any is left out, and a number that cannot be had is never printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stresslab.analysis.result_models import Estimate
from stresslab.analysis.result_realism import Calibration, Exceedances, RealismSection
from stresslab.report.sections.realism import COVERAGES, FACTS, NAMES, ROUND_TRIP, fact, plain, quantity, ratio, span
from stresslab.report.wording import UNDEFINED, defined, percent, plain_value, share

OPEN = "not assessable"
BESIDE = ["Universes", "Reality, 95% interval"]
FEW, MANY, OFF = "few", "many", "off"
"""Marks of a cell: too few outcomes, too many, outside the interval."""
MEANINGS: Mapping[str, str] = {
    "volatility": "how far a bar moves, root mean square",
    "lag_one": "above 0 moves carry on, below 0 they are taken back",
    "clustering": "whether wild bars follow wild bars, over the first lags",
    "leverage": "below 0 wilder bars follow a fall",
    "kurtosis": "how often extremes come; 3 for a normal distribution",
    "left_tail_index": "how heavy the tail is: the smaller, the heavier",
    "right_tail_index": "how heavy the tail is: the smaller, the heavier",
    "variance_ratio": "1 for a random walk, below 1 where moves are taken back",
    "volume_volatility": "whether wild bars are traded more",
}
"""What each stylised fact says."""


@dataclass(frozen=True)
class Cell:
    """A number as people read it, what stands below it, and its mark."""

    text: str
    note: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Row:
    """A row: what it is, what that means, and its cells."""

    name: str
    note: str
    cells: list[Cell]


@dataclass(frozen=True)
class Table:
    """One table: its key in the page, what to see in it, its columns and rows, and what stands below it."""

    key: str
    title: str
    sentence: str
    headings: list[str]
    lines: list[Row]
    footnote: str = ""


def tables(found: RealismSection) -> dict[str, Table]:
    """Every table for which there is evidence, by key."""
    makers = (coverage_table, scores_table, facts_table, growth_table, diagnostics_table)
    return {table.key: table for table in (make(found) for make in makers) if table is not None}


def coverage_table(found: RealismSection) -> Table | None:
    """Nominal against found coverage of every quantity, and that of the 90% interval in calm and turbulent times."""
    lines = []
    for name, row in _quantities(found):
        cells = [_covered(row.coverage.get(level), float(level)) for level in COVERAGES]
        cells += [_covered(side, 0.9) for side in (row.coverage_calm, row.coverage_turbulent)]
        lines.append(Row(quantity(name, sentence=True), "", cells))
    if not lines:
        return None
    marks = [cell.mark for line in lines for cell in line.cells if cell.text != OPEN]
    off = {mark: marks.count(mark) for mark in (FEW, MANY)}
    text = "Each column heads the share of outcomes that its interval of the universes should hold; "
    if not marks:
        text += "not one could be assessed."
    elif not any(off.values()):
        text += f"all {len(marks)} found shares agree with it as far as chance can tell."
    else:
        text += (
            f"of {len(marks)} found shares, {off[FEW]} {'is' if off[FEW] == 1 else 'are'} too small (▾, the universes "
            f"are too narrow or off) and {off[MANY]} too large (▴, too wide), beyond their 95% intervals."
        )
    headings = [*(f"{share(float(level))} interval" for level in COVERAGES), "90%, calm", "90%, turbulent"]
    footnote = (
        "Below each share stands its 95% interval. Calm and turbulent: the volatility before the origin was below or "
        f"above the median. {OPEN.capitalize()}: the universes at each origin are too few for so wide an interval."
    )
    return Table("coverage", "Outcomes inside the universes' intervals", text, headings, lines, footnote)


def scores_table(found: RealismSection) -> Table | None:
    """Scores of every quantity, beside other generators where there are any, and tests of the value at risk."""
    rows = list(_quantities(found))
    if not rows:
        return None
    baselines = found.baselines
    levels = _levels(row for _, row in rows)
    lines = []
    for name, row in rows:
        cells = [Cell(plain(row.crps, 5)), Cell(plain(row.tail_crps, 5))]
        cells += [Cell(ratio(other.crps_ratio.get(name))) for other in baselines.values()]
        for level in levels:
            cells += _exceeded(row.value_at_risk[level] if name.startswith("return_") else None)
        lines.append(Row(quantity(name, sentence=True), "", cells))
    headings = ["CRPS", "Tail CRPS", *(f"CRPS over that of {name}" for name in baselines)]
    for level in levels:
        headings += [f"VaR {100 * (1 - float(level)):g} exceeded", "Kupiec p", "Independence p"]
    unknown = [level for level in rows[0][1].value_at_risk if level not in levels]
    footnote = [f"VaR {100 * (1 - float(level)):g}: {OPEN} with {found.universes} universes." for level in unknown]
    if found.energy_score is not None:
        footnote.append(f"Energy score of whole paths: {plain(found.energy_score, 3)}.")
    return Table(
        "scores", "Scores and value at risk", _scores_sentence(rows, levels), headings, lines, " ".join(footnote)
    )


def facts_table(found: RealismSection) -> Table | None:
    """Every stylised fact of the universes beside that of what followed."""
    lines, outside, compared = [], [], 0
    for name, label in FACTS.items():
        row = found.stylized_facts.get(name)
        if row is None or (row.universes is None and row.real is None):
            continue
        value, real, low, high = row.universes, row.real, row.real_low, row.real_high
        off = False
        if value is not None and low is not None and high is not None:
            compared += 1
            off = not low <= value <= high
        outside += [label] if off else []
        mark, interval = OFF if off else "", _below(fact(name, low), fact(name, high))
        lines.append(Row(label, MEANINGS[name], [Cell(fact(name, value), mark=mark), Cell(fact(name, real), interval)]))
    if not lines:
        return None
    text = "What market returns have in common, in the universes and in what really followed"
    if compared:
        text += (
            f"; {compared - len(outside)} of {compared} figures of the universes lie in reality's interval of chance"
        )
    text += f", not so: {', '.join(_lower(label) for label in outside)}." if outside else "."
    return Table("facts", "Stylised facts", text, BESIDE, lines)


def growth_table(found: RealismSection) -> Table | None:
    """Mean price at the horizon over the last one, by where that lay against the past."""
    rows = [row for row in found.growth if row.universes is not None]
    if not rows:
        return None
    lines = [
        Row(
            f"{str(row.last_price).capitalize()} against the past",
            "one origin" if row.origins == 1 else f"{row.origins} origins",
            [
                Cell(plain(row.universes, 3)),
                Cell(plain(row.real, 3), _below(plain(row.real_low, 3), plain(row.real_high, 3))),
            ],
        )
        for row in rows
    ]
    text = (
        "Universes that are led back to the past's mean rise after a low last price and fall after a high one; the "
        "mean price at the horizon over the last one should not depend on it more than in reality."
    )
    return Table("growth", "Growth by where the last price lay", text, BESIDE, lines)


def diagnostics_table(found: RealismSection) -> Table | None:
    """What the generator shows about itself: the end of its prices, its round trip, and what its settings cut."""
    own = found.diagnostics
    support = next((check for check in found.checks if check.name == "support"), None)
    lines = []
    if support is not None and support.value is not None:
        note = "the last price that the model can represent; what lies beyond does not happen"
        lines.append(Row(NAMES["support"], note, [Cell(percent(support.value)), Cell("0%")]))
    trip = own.round_trip
    if trip:
        note = f"{plain_value(int(trip.bars or 0))} bars turned into tokens and back"
        sides = [Cell(plain(value, 3)) for value in (trip.lag_one, trip.lag_one_real)]
        volatility = Cell(plain(trip.volatility_ratio))
        lines += [
            Row(line_name, note, cells)
            for line_name, cells in (
                (f"{ROUND_TRIP}: volatility, as a multiple of reality's", [volatility, Cell("1.00")]),
                (f"{ROUND_TRIP}: autocorrelation of returns", sides),
            )
            if cells[0].text != UNDEFINED
        ]
    cut = own.cuts
    if cut:
        note = f"with {plain_value(cut.settings)}, over universes drawn as the model learned, same random numbers"
        named = (
            (cut.volatility_ratio, "Volatility of a bar"),
            (cut.tail_ratio, "1% quantile of the return at the horizon"),
        )
        for row, label in named:
            if row.value is not None:
                cell = Cell(plain(row.value), _below(plain(row.low), plain(row.high)))
                lines.append(Row(f"{label}, as a multiple", defined(note), [cell, Cell("1.00")]))
    if not lines:
        return None
    text = "What the generator does on its own account; the nearer each figure is to the one beside it, the better."
    return Table("diagnostics", "The generator's own diagnostics", text, ["Found", "Ideal"], lines)


def notes(found: RealismSection) -> list[str]:
    """What is worth knowing but decides nothing."""
    return [defined(str(note)) for note in found.notes]


def _quantities(found: RealismSection) -> list[tuple[str, Calibration]]:
    """Every quantity of the calibration; the scores of whole paths are none."""
    return list(found.quantities.items())


def _covered(row: Estimate | None, nominal: float) -> Cell:
    """A found share with its interval, marked where that leaves the nominal one out."""
    if row is None or row.value is None:
        return Cell(OPEN)
    low, high = row.low, row.high
    mark = FEW if high is not None and high < nominal else MANY if low is not None and low > nominal else ""
    return Cell(percent(row.value), _below(percent(low), percent(high)), mark)


def _below(low: str, high: str) -> str:
    """An interval to stand below its number; nothing where it has no ends."""
    interval = span(low, high)
    return "" if interval == UNDEFINED else interval


def _levels(rows: Iterable[Calibration]) -> list[str]:
    """Values at risk that were assessed."""
    return list(dict.fromkeys(level for row in rows for level, one in row.value_at_risk.items() if one is not None))


def _exceeded(row: Exceedances | None) -> list[Cell]:
    """Exceedances beside those expected, and the p-values of both tests, marked below 5%."""
    if row is None:
        return [Cell(UNDEFINED)] * 3
    tests = [
        Cell(OPEN) if p is None else Cell(_p(p), mark=OFF if p < 0.05 else "") for p in (row.kupiec, row.christoffersen)
    ]
    return [Cell(f"{row.count:,}", f"{row.expected:.1f} expected"), *tests]


def _lower(label: str) -> str:
    return label[0].lower() + label[1:]


def _p(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else "below 0.01"


def _scores_sentence(rows: Sequence[tuple[str, Calibration]], levels: Sequence[str]) -> str:
    """What to see in the scores."""
    text = "CRPS says how far the universes were off what followed, tail CRPS looks at the tails; smaller is better"
    tested = [row.value_at_risk[level] for name, row in rows if name.startswith("return_") for level in levels]
    tests = [p for row in tested if row for p in (row.kupiec, row.christoffersen) if p is not None]
    if not tests:
        return f"{text}."
    rejected = sum(p < 0.05 for p in tests)
    subject = {0: "not one", 1: "one"}.get(rejected, str(rejected))
    rejections = f"{subject} of {len(tests)} tests {'rejects' if rejected < 2 else 'reject'}"
    by_chance = f"{0.05 * len(tests):.1f} would by chance"
    return (
        f"{text}. Of the value at risk, {rejections} at 5% ({by_chance}) that losses exceed it as often, and as "
        "independently, as promised."
    )
