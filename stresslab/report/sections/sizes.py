"""How large to trade: a sentence, the picture and the table of sizes of each strategy."""

from __future__ import annotations

from collections.abc import Mapping

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_decisions import AtSize, SizeStudy
from stresslab.report.charts.sizes import NAMES, size_chart
from stresslab.report.sections.table import Table, chance
from stresslab.report.wording import UNDEFINED, clean, interval, largest_multiple, number, percent, share

HEADINGS = ("Size", "Log growth a year", "Median return", "P(loss)", "P(drawdown > {})", "P(margin call)", "P(ruin)")


def sizes(result: StressResult) -> list[Table] | None:
    """The tables of a run's strategies; None where sizes were not asked for."""
    found = {one.name: one.studies.sizes for one in result.strategies if one.studies.sizes is not None}
    return size_tables(found) if found else None


def size_tables(studies: Mapping[str, SizeStudy]) -> list[Table]:
    """Tables of each strategy by name: the side to go by with the picture above, the others folded."""
    return [
        table
        for at, (name, study) in enumerate(studies.items(), 1)
        for table in _tables(clean(name), study, f"size-{at}", len(studies) > 1)
    ]


def headline(study: SizeStudy, side: str | None = None) -> str:
    """The answer in one sentence, on the side to go by or another."""
    largest, where = study.sides[side or study.judged].largest, NAMES[side or study.judged]
    if largest.size <= 0:
        return f"No size keeps {study.limit} {where}."
    if not largest.limited:
        return f"Every size up to {largest_multiple(largest.size)} keeps {study.limit} {where}."
    return (
        f"Up to {largest_multiple(largest.size)} its own size it keeps {study.limit} {where} "
        f"({largest_multiple(largest.low)} to {largest_multiple(largest.high)} by chance)."
    )


def kelly_sentence(study: SizeStudy) -> str:
    """What Kelly's rule says, and what estimation error takes away."""
    side = study.sides[study.judged]
    value = side.kelly.value or 0.0
    if value <= 0:
        text = f"No size grows {NAMES[study.judged]}: Kelly's is 0."
    else:
        ends = interval(side.kelly.low, side.kelly.high, read=lambda size, signed=False: f"{number(size)}x")
        half = side.fractions["half"]
        text = (
            f"Growth is largest at {number(value)}x (Kelly; {ends} by chance); half of it has a drawdown of more than "
            f"{share(study.depth)} in {share(half.drawdown.value)} of universes."
        )
    if study.haircut is not None:
        text += (
            f" The record's own estimate, taken for the truth, would say {number(study.estimate_kelly)}x: selection "
            f"and estimation error take {percent(study.haircut)} of that."
        )
    return text


def credit_sentence(study: SizeStudy) -> str:
    """What is assumed of credit."""
    credit = study.credit
    most = "" if credit.max_leverage is None else f", at most {number(credit.max_leverage)} times the equity is held"
    return (
        f"What is held beyond the equity costs {share(credit.borrow_rate)} a year; where equity inside a bar falls to "
        f"{share(credit.maintenance)} of what is held, the lender closes the position{most}. Costs of trading grow "
        "with the size; market impact is not counted."
    )


def _tables(name: str, study: SizeStudy, key: str, named: bool) -> list[Table]:
    headings = tuple(heading.format(share(study.depth)) for heading in HEADINGS)
    found = []
    for side_name in (study.judged, *(other for other in study.sides if other != study.judged)):
        side, first = study.sides[side_name], side_name == study.judged
        rows = [_row(f"{row.size:g}x", row) for row in side.rows]
        rows += [_row(f"{label} Kelly\n{number(row.size)}x", row) for label, row in side.fractions.items()]
        title = f"Sizes {NAMES[side_name]}"
        sentences = [headline(study, side_name), *([kelly_sentence(study), credit_sentence(study)] if first else [])]
        found.append(
            Table(
                f"{key}-{side_name}",
                f"{name}: {title[0].lower()}{title[1:]}" if named else title,
                " ".join(sentences),
                headings,
                tuple(rows),
                charts=(size_chart(study, f"{key}-growth", kelly_sentence(study)),) if first else (),
                open=first,
                brief=first,
            )
        )
    return found


def _row(name: str, row: AtSize) -> tuple[str, ...]:
    return (
        name,
        UNDEFINED if row.growth is None else percent(row.growth, signed=True),
        percent(row.median_return, signed=True),
        chance(row.loss),
        chance(row.drawdown),
        chance(row.margin_call),
        chance(row.ruin),
    )
