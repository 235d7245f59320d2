"""Where a strategy stands since its run, in words, tables and pictures."""

from __future__ import annotations

from collections.abc import Sequence

from stresslab.analysis.result_decisions import MonitorState, Tracked
from stresslab.analysis.tracking import Looked, Watch
from stresslab.report.charts.chart import Chart
from stresslab.report.charts.tracking import EVIDENCE, evidence_chart, live_fan
from stresslab.report.sections.table import Table, share
from stresslab.report.wording import UNDEFINED, number, percent

MONITORS = {
    "account": "account inside its band",
    "price": "price inside its band",
    "volatility": "volatility of a bar inside its band",
    "edge": "evidence that the edge is gone",
    "calmer": "evidence of smaller moves than the universes'",
    "wilder": "evidence of larger moves than the universes'",
}
CAUSES = {
    "edge": "the edge is gone",
    "market": "the market is not this generator's any more",
    "account": "the account leaves its band",
}
NOTHING_YET = "no bars yet"
HEADINGS = ("Monitor", "Now", "From", "To", "Outside since")


def state(found: Tracked) -> str:
    """Inside, drifting or outside; nothing is said before there are bars."""
    return found.state if found.bars else NOTHING_YET


def headline(found: Tracked) -> str:
    """The state with its date and what to do, in one line."""
    if not found.bars:
        return found.advice
    where = f"{found.state.upper()}" + (f" since {found.since}: {CAUSES[found.cause]}" if found.cause else "")
    return f"{where}. {found.advice}"


def summary(found: Tracked) -> str:
    """What happened since the run, in a sentence or two."""
    if not found.bars:
        return ""
    lead = (
        f"{found.bars:,} of {found.horizon:,} bars since the run, {found.first} to {found.last}: the account made "
        f"{percent(found.account_return, signed=True)}, the price {percent(found.price_change, signed=True)}; "
        f"{share(found.as_extreme)} of universes are at least as extreme."
    )
    claimed = (
        "The run expects no edge, so none can be gone."
        if found.claimed is None
        else f"The run expects an edge of {number(found.claimed)} (annual Sharpe ratio of timing)."
    )
    return (
        f"{lead} {claimed} While all is as the run said, any alarm over the whole horizon has a probability of at most "
        f"{share(found.false_alarms)}, however often one looks."
    )


def tracking_tables(found: Tracked, watch: Watch, looked: Sequence[Looked], stamps: list[str], key: str) -> list[Table]:
    """The monitors, with account, price and evidence above.

    Args:
        found: where it stands.
        watch: its monitors.
        looked: what they saw.
        stamps: (T + 1,) of the last bar before and of the horizon.
        key: of the charts and the table.
    """
    charts: list[Chart] = []
    for one in looked:
        if one.name in ("account", "price"):
            lead = _band_sentence(one, stamps)
            charts.append(live_fan(one, watch.paths[one.name], stamps, f"{key}-{one.name}", lead))
    evidence = [one for one in looked if one.name in EVIDENCE]
    lead = "Bets against the run: an alarm where a line reaches it."
    drawn = evidence_chart(evidence, stamps, f"{key}-evidence", lead)
    rows = tuple(_row(one) for one in found.monitors)
    return [
        Table(
            f"{key}-monitors", "Monitors", summary(found), HEADINGS, rows,
            charts=(*charts, *([drawn] if drawn else [])), open=True, brief=True,
        )
    ]  # fmt: skip


def _band_sentence(looked: Looked, stamps: list[str]) -> str:
    if looked.alarm is None:
        return f"Inside throughout: {share(1 - looked.alpha)} of paths stay in the outer band over the whole horizon."
    return f"Outside since {stamps[looked.alarm + 1]}: {share(1 - looked.alpha)} of paths never leave the outer band."


def _row(one: MonitorState) -> tuple[str, ...]:
    read = number if one.name in EVIDENCE else percent
    ends = (UNDEFINED if one.low is None else read(one.low), UNDEFINED if one.high is None else read(one.high))
    state = one.alarm or ("drifting" if one.drifting else "inside")
    return MONITORS[one.name], UNDEFINED if one.value is None else read(one.value), *ends, state
