"""What a report rests on, in sentences: its purpose, the data and their quality, the generator, and the execution."""

from __future__ import annotations

from stresslab.analysis.result import StressResult
from stresslab.report.sections import notices, provenance
from stresslab.report.sections.realism import evidence
from stresslab.report.wording import clean, money, percent, plain_value

PURPOSE = (
    "To tell luck from logic in a trading strategy: what it would have earned and lost in many continuations of the "
    "same history. Meant as evidence in the validation of models (SR 26-2, formerly SR 11-7; EU RTS 6, Articles 5 and "
    "9). It is not the stress testing of system capacity in RTS 6, Article 10, and its measures are not regulatory "
    "capital."
)


def inputs(result: StressResult) -> list[tuple[str, list[str]]]:
    """Titled paragraphs."""
    return [
        ("Purpose", [PURPOSE]),
        ("Data and their quality", _data(result)),
        ("Universes", _universes(result)),
        ("Strategy and execution", _execution(result)),
    ]


def _data(result: StressResult) -> list[str]:
    data, day = result.data, provenance.day
    lines = [
        f"{clean(str(data.symbol))} from {clean(str(data.source) or 'memory')}: {data.bars:,} bars from "
        f"{day(data.start)} to {day(data.end)}, {clean(str(data.calendar))}.",
        "Every bar passed the checks of order, sign and range: time stamps increase, prices are above zero, the low is "
        "the lowest and the high the highest.",
    ]
    repaired = data.repaired
    lines.append(f"{repaired:,} rows were repaired or dropped to pass." if repaired else "No row had to be repaired.")
    warned = sum(str(text).startswith(notices.WARNING) for text in data.notices)
    if warned:
        lines.append(f"{warned} suspicious place{'s are' if warned > 1 else ' is'} listed under the warnings above.")
    return lines


def _universes(result: StressResult) -> list[str]:
    count = result.universes_count
    _, training = provenance.sample_label(result)
    lines = [
        f"{count:,} continuations of {provenance.horizon(result)} after {provenance.day(result.origin)}, drawn by "
        f"{provenance.generator_name(result)} from seed {plain_value(result.seed)}.",
        training,
        evidence(result).sentence,
    ]
    context, repaired = result.generator_facts.get("context"), result.generator_facts.get("repaired_bars")
    if context is not None:
        lines.append(f"The generator saw the last {int(context):,} bars before the origin.")
    if repaired is not None:
        lines.append(
            f"{int(repaired):,} of {count * result.horizon:,} generated bars were impossible and were repaired."
        )
    return lines


def _execution(result: StressResult) -> list[str]:
    config = result.config
    carried = {
        "carry": "The position that the strategy held at the origin is opened at the first generated open.",
        "flat": "Nothing is held at the first generated open; the strategy waits for a new signal.",
    }.get(str(config.get("position")), "")
    warm = config.get("warmup")
    return [
        "Decisions are made at a bar's close and filled at the next open; what is open at the end is closed at the "
        "last close. Real bars are treated the same way.",
        f"Each account begins with {money(result.init_cash)}; {provenance.execution(config)}.",
        *([carried] if carried else []),
        _rebalancing(str(config.get("rebalance") or "on-change")),
        *([f"Indicators warm up on {int(warm):,} real bars, or all there are."] if warm is not None else []),
    ]


def _rebalancing(rule: str) -> str:
    """When target weights are orders, in words."""
    if rule == "on-change":
        return "Target weights are ordered when they change; in between units are held, and the weight drifts."
    if rule == "every-bar":
        return "Target weights are ordered again at every bar, so that the weight is held."
    return f"Target weights are ordered when they change or have drifted by {percent(float(rule.partition('=')[2]))}."
