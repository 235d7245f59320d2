"""What a list of trades says, in sentences and tables: its times, its exposure at other times, sizes and defects."""

from __future__ import annotations

from stresslab.analysis.result_trades import TradeStudy
from stresslab.report.sections.kept_limits import ANSWERS, ENDS, rules_sentence
from stresslab.report.sections.table import Table, chance, share
from stresslab.report.wording import UNDEFINED, clean, interval, largest_multiple, money, number, percent, shares

SIDES = {
    "listed": "as listed",
    "untimed": "without what its times earned",
    "supported": "with what the bars support of it",
}
"""What people read for each kind of resampled account."""
NO_LABEL = (
    "A list cannot be run again: whether its rule looks ahead, what it would do in another market, and a verdict such "
    "as robust or lucky need the rule itself."
)


def headlines(study: TradeStudy) -> list[str]:
    """The answers, most important first."""
    return [edge_sentence(study), matched_sentence(study), size_sentence(study), NO_LABEL]


def edge_sentence(study: TradeStudy) -> str:
    """What its times are worth."""
    edge = study.edge
    if edge.probability is None:
        return "Its exposure never varies, so all that it earns is its exposure."
    trials = f"{edge.trials:.3g} variants" + (" (assumed, since none were reported)" if edge.trials_assumed else "")
    return (
        f"The probability that its times are worth anything is {share(edge.probability)}, as the best of {trials}: "
        f"held over real bars in random order, the same positions do as well in {share(edge.p_value)}. Timing was "
        f"worth an annual Sharpe ratio of {number(edge.sharpe.value)} ({_ends(edge.sharpe)}); the bars support "
        f"{number(edge.supported.value)} ({_ends(edge.supported)})."
    )


def _ends(found: object) -> str:
    return interval(found.low, found.high, read=lambda value, signed=False: number(value))  # type: ignore[attr-defined]


def matched_sentence(study: TradeStudy) -> str:
    """What the same exposure earns without knowing when."""
    own, real, away = study.matched.own, study.matched.real, study.universes
    return (
        f"On the bars its positions earned {percent(own, signed=True)} of the account in sum; with the same holding "
        f"times, directions and sizes at random times it is {percent(real.value, signed=True)} on average, "
        f"{percent(real.low, signed=True)} to {percent(real.high, signed=True)} in 90%. In universes of "
        f"{away.horizon:,} bars such exposure loses in {share(away.loss.value)}."
    )


def size_sentence(study: TradeStudy) -> str:
    """The largest size within the limit."""
    side = study.sides[study.judged]
    where = SIDES[study.judged]
    if side.largest.size <= 0:
        return f"No size keeps {study.limit} in accounts of resampled trades, {where}."
    kelly = side.kelly.value or 0.0
    text = (
        f"Accounts of resampled trades, {where}, keep {study.limit} up to {largest_multiple(side.largest.size)} the "
        f"list's own size over {study.horizon:,} bars"
    )
    return f"{text}; growth is largest at {number(kelly)}x (Kelly)." if kelly > 0 else f"{text}; no size grows."


def defects_sentence(study: TradeStudy) -> str:
    """What the resampled accounts leave out."""
    return f"What resampled trades leave out. {' '.join(study.defects)}"


def list_rows(study: TradeStudy) -> list[tuple[str, str]]:
    """The list in figures."""
    one = study.listed
    assumed = " (the least that pays for every position in full)" if one.capital_assumed else ""
    inside = "" if one.fills_inside is None else f"{share(one.fills_inside)} within their bars"
    return [
        ("Trades", f"{one.trades:,} of {clean(one.form)}, {one.first[:16]} to {one.last[:16]}, {one.bars:,} bars"),
        ("Account", f"{money(one.capital)}{assumed}"),
        ("Total return", percent(one.total_return, signed=True)),
        ("A trade earns", f"{percent(one.mean_return, signed=True)} on average, {percent(one.worst_return)} at worst"),
        ("Trades won", f"{share(one.win_rate)}, profit factor {number(one.profit_factor)}"),
        ("Held", f"{one.mean_bars:.3g} bars on average, {share(one.exposure)} of all bars"),
        ("Costs in it", f"{percent(one.costs)} of the account a trade"),
        *([("Fills", inside)] if inside else []),
    ]


def trade_tables(study: TradeStudy) -> list[Table]:
    """All tables of the page."""
    listed = Table("list", "The list", "", ("", ""), tuple(list_rows(study)), open=True, brief=True)
    return [listed, _matched(study), *_sizes(study), *_limits(study)]


def _matched(study: TradeStudy) -> Table:
    found, away = study.matched, study.universes
    rows = (
        ("the list's positions on its bars", percent(found.own, signed=True), UNDEFINED, UNDEFINED),
        ("the same at random times of these bars", *_spread(found.real)),
        ("the same positions on the bars in random order", *_spread(found.permuted)),
        (
            f"the same at random times of universes, {away.horizon:,} bars, with costs",
            percent(away.median_return, signed=True), percent(away.low_return, signed=True),
            percent(away.high_return, signed=True),
        ),
    )  # fmt: skip
    own = "" if away.own is None else f" Over as many bars the list earned {percent(away.own, signed=True)} on average."
    sentence = (
        f"{matched_sentence(study)} {share(study.matched.real_as_good)} of random times earn as much. "
        f"Universes are those of {clean(away.generator)}; P(loss) there is {share(away.loss.value)} "
        f"({shares(away.loss)}), P(drawdown > 20%) {share(away.deep.value)}.{own}"
    )
    headings = ("Exposure", "Mean or median", "5%", "95%")
    return Table(
        "matched", "The same exposure at times that know nothing", sentence, headings, rows, open=True, brief=True
    )


def _spread(found: object) -> tuple[str, str, str]:
    return tuple(percent(getattr(found, name), signed=True) for name in ("value", "low", "high"))  # type: ignore[return-value]


def _sizes(study: TradeStudy) -> list[Table]:
    headings = ("Size", "Log growth a year", "Median return", "P(loss)", f"P(drawdown > {share(study.depth)})",
                "P(margin call)", "P(ruin)")  # fmt: skip
    tables = []
    for name in (study.judged, *(one for one in study.sides if one != study.judged)):
        side, first = study.sides[name], name == study.judged
        rows = tuple(
            (f"{row.size:g}x", UNDEFINED if row.growth is None else percent(row.growth, signed=True),
             percent(row.median_return, signed=True),
             *map(chance, (row.loss, row.drawdown, row.margin_call, row.ruin)))
            for row in side.rows
        )  # fmt: skip
        kelly = f"Largest within the limit {largest_multiple(side.largest.size)}, Kelly {number(side.kelly.value)}x."
        sentence = f"{size_sentence(study)} {study.accounts:,} accounts of {study.horizon:,} bars." if first else kelly
        tables.append(Table(f"sizes-{name}", f"Sizes {SIDES[name]}", sentence, headings, rows, open=first, brief=first))
    return tables


def _limits(study: TradeStudy) -> list[Table]:
    found = study.limits
    if found is None:
        return []
    names = list(study.sides)
    tables = []
    if found.answers:
        rows = tuple(
            (one.limit, ANSWERS[one.passed], chance(one.estimate), *(share(one.sides[name]) for name in names))
            for one in found.answers
        )
        headings = ("Limit", "Answer", f"Estimate {SIDES[found.judged]}", *(SIDES[name].capitalize() for name in names))
        tables.append(
            Table("limits", "Each limit", "Judged in accounts of resampled trades.", headings, rows, open=True)
        )
    if found.outcomes:
        rows = tuple((ENDS[end], *(_end(found.outcomes[name], end) for name in names)) for end in ENDS)
        headings = ("The account", *(f"P, {SIDES[name]}" for name in names))
        title = "How an account under these rules ends"
        tables.append(Table("rules", title, rules_sentence(found.rules or {}), headings, rows, open=True))
    return tables


def _end(rows: object, name: str) -> str:
    found = next((one for one in rows if one.name == name), None)  # type: ignore[attr-defined]
    return UNDEFINED if found is None else chance(found.probability)
