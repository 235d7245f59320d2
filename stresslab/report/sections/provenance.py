"""Where a run's figures come from and what they leave out: data, generator, settings, machine and limits.

`strategy` shows the evidence about each strategy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stresslab.analysis.result import StressResult
from stresslab.report.wording import UNDEFINED, clean, money, number, percent, plain_value

DOUBTFUL = ("in-sample", "training dates unknown")
"""Labels of training that a reader must not overlook."""

LIMITS = (
    "A research instrument, not regulatory capital: value at risk and expected shortfall are those of one strategy "
    "over one horizon in generated universes, not of a portfolio under any rulebook.",
    "The distribution of scenarios is the generator's own. Intervals cover chance among the universes alone, not the "
    "error of the generator; what it never saw, it does not generate.",
    "Fills are at the next open, at the costs that the settings name; what they do not name, such as borrowing, is "
    "free. Market impact, margin calls, taxes and outages are not modelled.",
    "Nothing here is investment advice.",
)
READING = (
    (
        "Universe",
        "One continuation of the real bars that the generator drew. All of them begin at the origin, the last real "
        "bar it saw; every strategy meets the same ones.",
    ),
    (
        "P(loss)",
        "The share of universes in which the strategy ends below its initial capital, net of costs. As generated: as "
        "the universes are. Without an edge: its timing made worth nothing. With its edge, or its negative timing: "
        "with what the real bars make of its timing, in doubt as they leave it. The verdict rests on the last where "
        "the edge is supported, else on the one without.",
    ),
    ("95% interval", "How far off the figure may be because there are only so many universes. More narrow it."),
    (
        "Verdict",
        "Robust: the real bars support an edge, and with it few universes are lost. Losing: half or more are. Lucky: "
        "likewise, although the backtest won, and without a supported edge. Fragile: all between. Inconclusive: "
        "the evidence does not decide. The checks hold the thresholds.",
    ),
    (
        "Real outcome",
        "The same strategy on the real bars after the origin, run by the same code: one draw among the many that "
        "could have been.",
    ),
    (
        "VaR, expected shortfall",
        "VaR 95 is the loss that one universe in twenty exceeds; ES 97.5 is the mean loss of the worst 2.5%. Both are "
        "positive losses over the whole horizon; a negative one is a gain.",
    ),
    ("Drawdown", "How far the account fell below its highest value so far. Returns and drawdowns carry their sign."),
    ("Quantile", "In 5% of universes the measure lies below its 5% quantile, in half of them below the median."),
)


def sample_label(result: StressResult) -> tuple[str, str]:
    """How the generator's training lies to the origin: a label and a sentence."""
    generator = result.generator
    if result.in_sample:
        return "in-sample", (
            f"The generator was trained on bars up to {clean(str(generator['trained_until']))}, after the origin: it "
            "may know what followed."
        )
    if result.in_sample is False:
        return "out-of-sample", (
            f"The generator was trained on bars up to {clean(str(generator['trained_until']))}, not after the origin."
        )
    if "trained_until" in generator:
        return (
            "training dates unknown",
            "The weights do not say until when they were trained: they may know what followed.",
        )
    return "fitted to the history", "The generator saw the bars before the origin and nothing else."


def horizon(result: StressResult) -> str:
    """The horizon in bars, and how long that is: 120 bars (174 days)."""
    bars = f"{result.horizon:,} {'bar' if result.horizon == 1 else 'bars'}"
    days = (result.fan.index[-1] - result.origin) / pd.Timedelta(days=1)
    if days <= 0:
        return bars
    if days < 1:
        hours = 24 * days
        return f"{bars} ({hours:.2g} {'hour' if f'{hours:.2g}' == '1' else 'hours'})"
    number = f"{days:,.0f}" if days >= 10 else f"{days:.1f}".removesuffix(".0")
    return f"{bars} ({number} {'day' if number == '1' else 'days'})"


def day(stamp: object) -> str:
    """A time stamp, without the time where that is midnight."""
    return str(stamp).removesuffix(" 00:00:00")


def generator_name(result: StressResult) -> str:
    """The generator in a word or two: kronos nano, bootstrap."""
    parts = [result.generator.get("name", "generator"), result.generator.get("model")]
    return clean(" ".join(str(part) for part in parts if part))


@dataclass(frozen=True)
class Run:
    """What decided a run: titled lists of (name, value), and the command that makes it again, if there is one."""

    cards: list[tuple[str, list[tuple[str, str]]]]
    command: str


def run(result: StressResult) -> Run:
    """Everything that decided the run."""
    facts = {name: value for name, value in result.generator_facts.items() if name != "generator"}
    data = result.data.model_dump(exclude={"notices"})
    data |= {name: day(data[name]) for name in ("start", "end") if name in data}
    machine = {
        name: value for name, value in result.environment.items() if name not in ("commit", "code")
    }  # known when stored
    seconds = [(_words(stage), f"{spent:.1f} s") for stage, spent in result.timings.items()]
    cards = [
        ("Settings", _rows(result.config)),
        ("Data", _rows(data)),
        ("Generator", [*_rows(result.generator), *_rows(facts)]),
        ("Environment", [*_rows(machine), *((f"time for {stage}", spent) for stage, spent in seconds)]),
    ]
    return Run(cards, command(result))


def command(result: StressResult) -> str:
    """The command line that makes a run again; empty where it was not started from the command line."""
    return clean(result.command) if result.command else ""


def stamp(result: StressResult) -> str:
    """Run, date, and the hashes of manifest and strategies, on one line; empty for a run that is not stored."""
    if result.stamp is None:
        return ""
    sources = {
        clean(one.name): one.source["sha256"] for one in result.strategies if one.source and one.source["sha256"]
    }
    named = [f"{name} {digest[:12]}" for name, digest in list(sources.items())[:MAX_STAMPED]]
    if len(sources) > MAX_STAMPED:
        named.append(f"and {len(sources) - MAX_STAMPED:,} more")
    parts = [
        *([] if result.dossier is None else [clean(f"{result.dossier.title} {result.dossier.version}")]),
        clean(result.stamp.run),
        clean(result.stamp.created),
        f"seal of the manifest {clean(result.stamp.manifest)}",
    ]
    return " · ".join([*parts, *([f"strategies {', '.join(named)}"] if named else [])])


MAX_STAMPED = 8
"""Strategies whose hash stands on every page, at most."""


def execution(config: Mapping[str, Any]) -> str:
    """What an account pays and on what terms it trades, as far as that is set: fees 0.05%, stop loss 5%."""
    parts = [
        read(config[name])
        for name, read in _EXECUTION.items()
        if config.get(name) or (name in _ALWAYS and config.get(name) is not None)
        if config[name] != _NEUTRAL.get(name)
    ]
    return clean(", ".join(parts)) if parts else UNDEFINED


_ALWAYS = ("fees", "slippage")
_NEUTRAL: Mapping[str, Any] = {"sizing": "all-in", "max_leverage": 1.0}
_EXECUTION: Mapping[str, Callable[[Any], str]] = {
    "fees": lambda value: f"fees {percent(value)}",
    "slippage": lambda value: f"slippage {percent(value)}",
    "slippage_volatility": lambda value: f"and {number(value)} of recent volatility",
    "fixed_fee": lambda value: f"{money(value)} an order",
    "borrow_fee": lambda value: f"borrowing {percent(value)} a year",
    "funding": lambda value: f"funding {percent(value)} a year",
    "min_trade": lambda value: f"no orders below {money(value)}",
    "sizing": lambda value: f"sizing {value}",
    "stop_loss": lambda value: f"stop loss {percent(value)}",
    "take_profit": lambda value: f"take profit {percent(value)}",
    "trailing_stop": lambda value: f"trailing stop {percent(value)}",
    "max_leverage": lambda value: f"exposure up to {number(value)} times the equity",
    "risk_free": lambda value: f"interest {percent(value)} a year",
}


def _rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values as people read them, mappings spread out; what is not set is left out."""
    rows: list[tuple[str, str]] = []
    for name, value in facts.items():
        if isinstance(value, Mapping):
            rows += [(f"{_words(name)} · {_words(key)}", text) for key, text in _flat(value)]
        elif value is not None and value != "" and value != [] and value != ():
            rows.append((_words(name), plain_value(value)))
    return rows


def _flat(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(key), plain_value(value)) for key, value in facts.items() if value is not None and value != {}]


def _words(name: str) -> str:
    return clean(str(name)).replace("_", " ")
