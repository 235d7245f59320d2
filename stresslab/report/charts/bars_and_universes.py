"""How bars and universes show themselves in a notebook: charts of their own, and a few facts as an HTML table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd

from stresslab.analysis.result import LEVELS
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.universes import Universes
from stresslab.report.charts import binning
from stresslab.report.charts.chart import Axis, Chart, Shape, price_ticks, stamp_texts, thinned_line, time_ticks
from stresslab.report.charts.fans_and_histograms import drawn_tail, fan_chart
from stresslab.report.wording import clean, percent, price

ROWS = 3
"""First and last bars in a table."""
PATHS = 12
"""Universes that are drawn one by one."""


def bars_chart(bars: Bars) -> Chart:
    """The closes of a real series, on a logarithmic axis where they span much."""
    closes = bars.values[:, CLOSE]
    x, y = Axis(0, max(len(bars) - 1, 1)), Axis.around(closes, log=True)
    stamps = stamp_texts(bars.timestamps)
    moved = float(closes[-1] / closes[0] - 1)
    return Chart(
        key="bars",
        title=f"{clean(bars.symbol)}, {len(bars):,} bars",
        sentence=f"From {price(float(closes[0]))} to {price(float(closes[-1]))} ({percent(moved, signed=True)}), "
        f"between {price(float(closes.min()))} and {price(float(closes.max()))}.",
        x_ticks=time_ticks(stamps, x, 0),
        y_ticks=price_ticks(y),
        x_name=clean(bars.symbol),
        y_name="close" + (" (logarithmic)" if y.log else ""),
        shapes=[Shape("real", thinned_line(np.arange(len(bars)), closes, x, y))],
        hover={},
    )


def universes_chart(universes: Universes) -> Chart:
    """The fan of the closes after the tail of the history, with some of the paths."""
    closes = universes.values[:, :, CLOSE].astype(np.float64)  # (N, T)
    quantiles = np.quantile(closes, LEVELS, axis=0).T
    fan = pd.DataFrame(quantiles, index=universes.timestamps, columns=[str(level) for level in LEVELS])
    start = float(universes.history.values[-1, CLOSE])
    low, high = (float(fan[level].iloc[-1]) for level in ("0.25", "0.75"))
    count = f"{len(universes):,} {'universe' if len(universes) == 1 else 'universes'}"
    return fan_chart(
        drawn_tail(universes.history, universes.horizon),
        fan,
        closes[binning.thin(len(closes), PATHS)],
        None,
        title=f"{clean(universes.history.symbol)}, {count}",
        sentence=f"{universes.horizon:,} bars after {universes.history.timestamps[-1]}: half of {count} end between "
        f"{price(low)} and {price(high)} ({percent(low / start - 1, signed=True)} to "
        f"{percent(high / start - 1, signed=True)} from the origin).",
    )


def of_bars(bars: Bars) -> str:
    """What a real series is, with its first and last bars, as HTML."""
    if not len(bars):
        return table(repr(bars), [])
    facts = [
        ("from", str(bars.timestamps[0])),
        ("to", str(bars.timestamps[-1])),
        ("calendar", bars.calendar.describe() if len(bars) > 1 else "one bar"),
        ("source", bars.source or "memory"),
        *(("notice", text) for text in bars.notices),
    ]
    ends = bars.frame if len(bars) <= 2 * ROWS else pd.concat([bars.frame.iloc[:ROWS], bars.frame.iloc[-ROWS:]])
    return table(f"{bars.symbol}: {len(bars):,} bars", facts) + str(ends.to_html())


def of_universes(universes: Universes) -> str:
    """What some universes are, as HTML."""
    closes = universes.values[:, -1, CLOSE].astype(np.float64) / float(universes.history.values[-1, CLOSE]) - 1
    ends = ", ".join(f"{level:.0%} {percent(float(np.quantile(closes, level)), signed=True)}" for level in LEVELS)
    facts = [
        ("bars in each", f"{universes.horizon:,}"),
        ("from", str(universes.timestamps[0])),
        ("to", str(universes.timestamps[-1])),
        ("after", f"{len(universes.history):,} real bars up to {universes.history.timestamps[-1]}"),
        ("quantiles of the change of price", ends),
    ]
    count = f"{len(universes):,} {'universe' if len(universes) == 1 else 'universes'}"
    return table(f"{universes.history.symbol}: {count}", facts)


def table(caption: str, facts: Sequence[tuple[str, str]]) -> str:
    """Names and values as an HTML table; nothing in them is read as markup."""
    rows = "".join(f"<tr><th>{escape(clean(name))}</th><td>{escape(clean(value))}</td></tr>" for name, value in facts)
    return f"<table><caption>{escape(clean(caption))}</caption><tbody>{rows}</tbody></table>"
