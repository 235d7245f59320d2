"""The arguments and flags that commands share, and how flags, a `--config` file and defaults become settings.

Which values are allowed is decided by `stresslab.runs.settings`, what they set in motion by the commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from stresslab.core.errors import InputError
from stresslab.core.text import did_you_mean
from stresslab.runs.settings import SampleConfig, SamplingConfig, StressConfig

if TYPE_CHECKING:
    from stresslab.core.dask import Cluster

Settings = TypeVar("Settings", bound=SampleConfig)

BARS, UNIVERSES, STRATEGY, OUTPUT = "Bars", "Universes", "Strategy and execution", "Run"
"""Panels of the help."""


DEFAULTS = StressConfig.model_construct()
"""Has the default of every setting that has one, which `StressConfig` alone knows."""


def whole(text: Any) -> int:
    """A flag's text as a whole number."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number; write for example 120") from None


def number(text: Any) -> float:
    """A flag's text as a number."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number; write for example 0.5") from None


def _option(panel: str, metavar: str, text: str, **more: Any) -> Any:
    return typer.Option(metavar=metavar, help=text, rich_help_panel=panel, **more)


def _flag(panel: str, name: str, text: str) -> Any:
    return typer.Option(name, metavar="", help=text, rich_help_panel=panel, show_default=False)


Strategies = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="STRATEGY",
        help="Strategy files, or file.py:name for one of several functions in a file; all meet the same universes.",
        show_default=False,
    ),
]
Data = Annotated[
    str | None,
    _option(
        BARS,
        "SOURCE",
        "CSV, parquet or feather file; sample:nasdaq or sample:sp500; yf:TICKER; ccxt:EXCHANGE:PAIR:TIMEFRAME.",
    ),
]
Since = Annotated[str | None, _option(BARS, "DATE", "First date to use.")]
Until = Annotated[str | None, _option(BARS, "DATE", "Last date to use.")]
Repair = Annotated[bool, _flag(BARS, "--repair", "Repair impossible bars, and count them, instead of refusing them.")]
Exchange = Annotated[
    str | None,
    _option(BARS, "NAME", "Leave this exchange's holidays out of the future, such as XNYS (needs stresslab[data])."),
]

Origin = Annotated[
    str | None,
    _option(UNIVERSES, "DATE|end", "Last bar the generator sees; by default one horizon before the end of the bars."),
]
Horizon = Annotated[int, _option(UNIVERSES, "BARS", "Bars to generate in each universe.", parser=whole)]
Count = Annotated[int, _option(UNIVERSES, "N", "How many universes to sample.", parser=whole)]
GeneratorName = Annotated[str, _option(UNIVERSES, "NAME", "What makes universes: kronos, bootstrap or garch.")]
Model = Annotated[
    str,
    _option(
        UNIVERSES, "MODEL", "Weights of Kronos: nano (bundled), a folder, or an id such as NeoQuasar/Kronos-small."
    ),
]
Temperature = Annotated[
    float, _option(UNIVERSES, "T", "Of Kronos' sampling; below 1 narrows the universes.", parser=number)
]
TopP = Annotated[
    float,
    _option(UNIVERSES, "P", "Sample from the likeliest tokens that make up this share; 1 keeps all.", parser=number),
]
TopK = Annotated[int, _option(UNIVERSES, "K", "Sample from the K likeliest tokens; 0 keeps all.", parser=whole)]
Context = Annotated[
    int | None,
    _option(UNIVERSES, "BARS", "Bars of history the generator sees; by default as many as it can use.", parser=whole),
]
Device = Annotated[str, _option(UNIVERSES, "DEVICE", "Where Kronos runs: auto, cpu or cuda.")]
Dtype = Annotated[
    str, _option(UNIVERSES, "TYPE", "Numbers Kronos computes with: float32, or bfloat16, faster on new processors.")
]
Seed = Annotated[int, _option(UNIVERSES, "N", "The same seed gives the same universes, whatever --jobs.", parser=whole)]

Param = Annotated[
    list[str] | None,
    _option(
        STRATEGY, "K=V", "Set a parameter of the strategies, for example fast=10; may be repeated.", show_default=False
    ),
]
Grid = Annotated[
    list[str] | None,
    _option(
        STRATEGY, "K=VALUES", "Try every set of values of parameters: fast=5:20:5 (from, to, step) or slow=30,60; may "
        "be repeated.", show_default=False,
    ),
]  # fmt: skip
StrategyTimeout = Annotated[
    float, _option(STRATEGY, "SECONDS", "Longest that one call of a strategy's code may take.", parser=number)
]
AllowFailures = Annotated[
    int,
    _option(STRATEGY, "N", "Universes in which a strategy's code may fail; they are left out.", parser=whole),
]
Warmup = Annotated[int, _option(STRATEGY, "BARS", "Bars of real history on which indicators warm up.", parser=whole)]
Position = Annotated[
    str,
    _option(STRATEGY, "carry|flat", "Open at the first generated bar what the strategy holds at the origin, or wait."),
]
Fees = Annotated[float, _option(STRATEGY, "FRACTION", "Fee per trade as a fraction of its value.", parser=number)]
Slippage = Annotated[
    float, _option(STRATEGY, "FRACTION", "Loss to slippage per fill as a fraction of the price.", parser=number)
]
FixedFee = Annotated[float, _option(STRATEGY, "CASH", "Fee per order, whatever its size.", parser=number)]
SlippageVolatility = Annotated[
    float,
    _option(STRATEGY, "MULTIPLE", "Further slippage, in standard deviations of the last 20 bars.", parser=number),
]
Borrow = Annotated[
    float, _option(STRATEGY, "FRACTION", "Cost a year of being short, of the position's value.", parser=number)
]
Funding = Annotated[
    float, _option(STRATEGY, "FRACTION", "Funding a year of perpetuals: longs pay, shorts receive.", parser=number)
]
MinTrade = Annotated[
    float, _option(STRATEGY, "CASH", "Orders of less value are skipped unless they close the position.", parser=number)
]
SizingRule = Annotated[
    str,
    _option(STRATEGY, "RULE", "Size of a full position: all-in, fraction=0.5, cash=10000 or volatility=0.15 a year."),
]
StopLoss = Annotated[
    float | None, _option(STRATEGY, "FRACTION", "Leave inside a bar at this loss on the entry price.", parser=number)
]
TakeProfit = Annotated[
    float | None, _option(STRATEGY, "FRACTION", "Leave inside a bar at this gain on the entry price.", parser=number)
]
TrailingStop = Annotated[
    float | None,
    _option(STRATEGY, "FRACTION", "Leave inside a bar so far from the best price of earlier bars.", parser=number),
]
MaxLeverage = Annotated[
    float, _option(STRATEGY, "MULTIPLE", "Most exposure over equity; 1 is no credit. No margin calls.", parser=number)
]
RiskFree = Annotated[
    float, _option(STRATEGY, "FRACTION", "Interest a year on cash; Sharpe and Sortino subtract it.", parser=number)
]
InitCash = Annotated[float, _option(STRATEGY, "CASH", "Starting cash in the currency of the bars.", parser=number)]
AllowLookahead = Annotated[
    bool, _flag(STRATEGY, "--allow-lookahead", "Go on, and say so everywhere, when a strategy decides from later bars.")
]
RealismOrigins = Annotated[
    int,
    _option(
        UNIVERSES, "N", "Past origins at which universes are compared with what followed; 0 leaves that out.",
        parser=whole,
    ),
]  # fmt: skip
FitTemperature = Annotated[
    bool, _flag(UNIVERSES, "--fit-temperature", "Choose the temperature that fits what followed at past origins.")
]
AcceptUntrusted = Annotated[
    bool, _flag(STRATEGY, "--accept-untrusted", "Judge the strategy even on universes that do not resemble the market.")
]

Book = Annotated[
    list[str] | None,
    _option(
        STRATEGY, "NAME=SHARE", "Judge strategies together too, each on its share of the capital, for example "
        "sma_cross=0.6,rsi_reversion=0.4.", show_default=False,
    ),
]  # fmt: skip
Origins = Annotated[
    str | None,
    typer.Option(
        "--origins", "--every", metavar="N|3M|MONTHS", rich_help_panel=UNIVERSES,
        help="Repeat the test from dates across the history: how many, every so often, or 2000-03,2008-09.",
    ),
]  # fmt: skip
Contrasts = Annotated[
    bool, _flag(UNIVERSES, "--contrasts", "Repeat the test in the worlds of other generators, equally volatile.")
]
Knobs = Annotated[
    bool, _flag(UNIVERSES, "--knobs", "Repeat the test over the generator's temperature, top-p and context.")
]
Trials = Annotated[
    float | None,
    _option(
        STRATEGY, "N", "Variants tried before these strategies were chosen, to discount the best; at least those that "
        "the ledger beside the runs knows.",
        parser=number,
    ),
]  # fmt: skip
Permutations = Annotated[
    int,
    _option(
        STRATEGY, "N", "Random orders of the real bars by which timing on them is judged; 0 leaves that out.",
        parser=whole,
    ),
]  # fmt: skip
Precision = Annotated[
    float | None,
    _option(
        UNIVERSES, "FRACTION", "Sample until half the interval of P(loss) is this, for example 0.01.", parser=number
    ),
]

FailOn = Annotated[
    list[str] | None,
    _option(OUTPUT, "LABEL", "Exit with 4 on this verdict; labels separated by commas.", show_default=False),
]
Jobs = Annotated[int, _option(OUTPUT, "N", "Workers; 0 means one per processor.", parser=whole)]
Backend = Annotated[
    str, _option(OUTPUT, "NAME", "What workers are: loky, processes of this machine, or dask, a cluster's.")
]
Scheduler = Annotated[
    str | None,
    _option(OUTPUT, "ADDRESS", "Dask scheduler, such as tcp://10.0.0.1:8786; without one, --jobs workers on loopback."),
]
Memory = Annotated[
    str | None, _option(OUTPUT, "SIZE", "Memory that all workers on this machine may take together, such as 4GB.")
]
Out = Annotated[str, _option(OUTPUT, "DIR", "Folder in which the run's own folder is written.")]
NewFile = Annotated[str | None, _option(OUTPUT, "FILE", "JSON file to write everything to.")]
NewFolder = Annotated[str | None, _option(OUTPUT, "DIR", "Folder to write; it must hold nothing of this kind yet.")]
Config = Annotated[
    str | None, _option(OUTPUT, "FILE", "YAML file with any of these settings; what is given as a flag wins.")
]


def read_settings(ctx: typer.Context, model: type[Settings]) -> Settings:
    """The settings of a command: flags over the `--config` file over the defaults, checked.

    Raises:
        InputError: one line naming the first wrong setting.
    """
    flags = given_flags(ctx)
    path = flags.pop("config", None)
    merged = _file_settings(path, model) if path else {}
    flags["param"] = merged.get("param", {}) | parse_parameters(flags.get("param", ()))
    if flags.get("grid"):
        from stresslab.strategy.parameters import parse_grid

        flags["grid"] = parse_grid(flags["grid"])
    if flags.get("book"):
        flags["book"] = _shares(flags["book"])
    flags["fail_on"] = _labels(flags.get("fail_on", merged.get("fail_on", ())))
    merged |= {name: value for name, value in flags.items() if name in model.model_fields}
    if not merged.get("data"):
        raise InputError("no bars are given; add --data with a file, or --data sample:nasdaq for the bundled sample")
    if issubclass(model, StressConfig) and not merged.get("strategies"):
        raise InputError("no STRATEGY is given; name a file, for example strategies/sma_cross.py")
    return model.of(merged, source=f"settings ({path} and flags)" if path else "settings")


def given_flags(ctx: typer.Context) -> dict[str, Any]:
    """What was given on the command line or by the environment, without the defaults."""
    sources = {name: ctx.get_parameter_source(name) for name in ctx.params}
    return {
        name: ctx.params[name] for name, source in sources.items() if source is not None and source.name != "DEFAULT"
    }


def _file_settings(path: str, model: type[SampleConfig]) -> dict[str, Any]:
    """The file's settings that this command uses; a key that no command knows is refused."""
    content = StressConfig.read(path)
    known = list(StressConfig.model_fields | model.model_fields)
    for key in content:
        if key not in known:
            raise InputError(f"--config {path}: {key!r} is not a setting{did_you_mean(key, known)}")
    if not isinstance(content.get("param", {}), dict):
        raise InputError(f"--config {path}: param={content['param']!r} is not a mapping; write `param: {{fast: 10}}`")
    return {key: _plain(key, value) for key, value in content.items() if key in model.model_fields}


def _plain(key: str, value: Any) -> Any:
    """A value as a flag would give it: YAML reads 2018-06-29 as a date, and one strategy needs no list."""
    if isinstance(value, date):
        return value.isoformat()
    return [value] if key in ("strategies", "fail_on") and isinstance(value, str) else value


def parse_parameters(pairs: Sequence[str]) -> dict[str, Any]:
    """The mapping in `k=v` pairs; numbers, True, False, None and quoted text as in Python, all else is text."""
    from stresslab.strategy.parameters import literal

    parameters: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise InputError(f"--param {pair!r} is not of the form name=value; write for example --param fast=10")
        parameters[name] = literal(text)
    return parameters


def _shares(given: Sequence[str]) -> dict[str, float]:
    """Shares of the capital by strategy, given repeatedly or separated by commas."""
    shares: dict[str, float] = {}
    for pair in (part.strip() for entry in given for part in entry.split(",")):
        name, _, text = pair.rpartition("=")
        try:
            shares[name] = float(text)
        except ValueError:
            name = ""
        if not name:
            raise InputError(f"--book {pair!r} is not of the form name=share; write for example sma_cross=0.6")
    return shares


def _labels(given: Sequence[str]) -> tuple[str, ...]:
    """Labels of verdicts, given repeatedly or separated by commas."""
    if not given:
        return ()
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise InputError(f"fail_on={given!r:.40} is not a list of verdicts; write for example `fail_on: [losing]`")
    from stresslab.analysis.result_models import LABELS

    labels = tuple(label.strip() for entry in given for label in str(entry).split(","))
    for label in labels:
        if label not in LABELS:
            raise InputError(f"--fail-on {label!r} is not a verdict{did_you_mean(label, list(LABELS))}")
    return labels


@contextmanager
def workers(settings: SamplingConfig, jobs: int) -> Iterator[Cluster | None]:
    """The cluster that the settings ask for, connected; None for this machine's processes.

    Universes of a graphics processor are sampled by workers that offer the resource GPU, and by no others.
    """
    if settings.backend != "dask":
        yield None
        return
    from stresslab.core.dask import connect

    resources = {"GPU": 1.0} if settings.device.startswith("cuda") else {}
    with connect(settings.scheduler, jobs, resources) as cluster:
        yield cluster


@contextmanager
def output_folder(path: str) -> Iterator[Path]:
    """A folder that can be written, checked before the work starts; what was made and stayed empty goes again.

    Raises:
        InputError: the folder cannot be written, or its name is empty.
    """
    from stresslab.runs.folder import check_writable

    if not path.strip():
        raise InputError(f"--out {path!r} names no folder; write for example --out reports")
    folder = Path(path)
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        check_writable(folder)
        yield folder
    finally:
        for place in made:
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()
