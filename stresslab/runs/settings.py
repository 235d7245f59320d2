"""The settings of a run: each is declared here once, with its name, type, default, limits and help.

Flags, configuration files, what a run records and the documentation follow from these models. How flags are read is the
command line's. It is long because it is one table, a row for each setting.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import field_validator, model_validator

from stresslab.core.errors import InputError
from stresslab.core.limits import parse_size
from stresslab.core.text import did_you_mean, one_line
from stresslab.runs.limit_settings import LimitSettings
from stresslab.runs.setting import BARS, COMMON, COSTS, RUN, STRATEGY, STUDIES, UNIVERSES, Config, extra, setting

if TYPE_CHECKING:
    from stresslab.analysis.limits import LimitPlan
    from stresslab.backtest import Terms
    from stresslab.data import Bars
    from stresslab.generators.base import Generator

SEVERAL = ";"
"""Between the sources of several symbols, where one text names them all."""
SOURCES = (
    "a CSV, JSON, parquet, feather or .xlsx file, also packed; sqlite:FILE:TABLE, duckdb:FILE:TABLE; sample:bitcoin, "
    "sample:nasdaq, sample:sp500; yf:TICKER; ccxt:EXCHANGE:PAIR:TIMEFRAME"
)
"""Where bars of one symbol may come from, as the help says it."""


class UniverseConfig(Config):
    """Everything that decides universes: bars, origin, generator.

    Fractions are fractions (0.01 is one percent); horizon and context are bars.
    """

    data: str = setting(
        COMMON, "SOURCE ...", f"Bars: {SOURCES}. Several symbols: several of these, a folder, or sample:crypto5."
    )
    origin: str | None = setting(
        COMMON, "DATE|end", "Last bar the generator sees; by default a horizon before the last.", None
    )
    horizon: int = setting(COMMON, "BARS", "Bars in each universe.", 250, ge=1, le=100_000)
    universes: int = setting(COMMON, "N", "How many universes to sample.", 1000, ge=1, le=100_000_000)
    generator: str = setting(COMMON, "NAME", "kronos, bootstrap or garch.", "kronos")
    model: str = setting(
        COMMON, "MODEL", "Kronos' weights: nano (bundled), a folder, or an id such as NeoQuasar/Kronos-small.",
        "nano", of_generator=True,
    )  # fmt: skip
    seed: int = setting(COMMON, "N", "Same seed, same universes.", 0, ge=0, lt=2**64)
    since: str | None = setting(COMMON, "DATE", "First date to use.", None)
    until: str | None = setting(COMMON, "DATE", "Last date to use.", None)
    repair: bool = setting(BARS, "", "Repair impossible bars, and count them, instead of refusing them.", False)
    exchange: str | None = setting(
        BARS, "NAME", "Leave this exchange's holidays out of the future, such as XNYS (needs the extra `data`).", None
    )
    days_per_year: float | None = setting(
        BARS, "DAYS", "Trading days in a year; by default 365 of markets that never close, 260 of currencies, 252 of "
        "others.", None, ge=200, le=366,
    )  # fmt: skip
    temperature: float = setting(
        UNIVERSES, "T", "Temperature of Kronos' sampling; below 1 narrows the universes.", 1.0, gt=0.0, le=100.0,
        allow_inf_nan=False, of_generator=True,
    )  # fmt: skip
    top_p: float = setting(
        UNIVERSES, "P", "Sample from the likeliest tokens that make up this share; 1 keeps all.", 1.0, gt=0.0, le=1.0,
        of_generator=True,
    )  # fmt: skip
    top_k: int = setting(UNIVERSES, "K", "Sample from the K likeliest tokens; 0 keeps all.", 0, ge=0, of_generator=True)
    context: int | None = setting(
        UNIVERSES, "BARS", "Bars of history the generator sees; by default as many as it can use.", None, ge=1,
        of_generator=True,
    )  # fmt: skip
    device: str = setting(UNIVERSES, "DEVICE", "Where Kronos runs: auto, cpu or cuda.", "auto", of_generator=True)
    dtype: Literal["float32", "bfloat16"] = setting(
        UNIVERSES, "TYPE", "Numbers Kronos computes with: float32, or bfloat16, faster on new processors.",
        "float32", of_generator=True,
    )  # fmt: skip
    dependence: Literal["empirical", "student", "independent"] = setting(
        UNIVERSES, "KIND", "How several symbols move together: empirical, as on real days; student, a t copula; or "
        "independent.", "empirical", of_generator=True,
    )  # fmt: skip
    jobs: int = setting(RUN, "N", "Worker processes; 0: one per processor.", 0, decides=False, ge=0)

    @field_validator("data", mode="before")
    @classmethod
    def _several_sources(cls, given: Any) -> Any:
        return SEVERAL.join(str(one) for one in given) if isinstance(given, list | tuple) else given

    def bars(self) -> Bars:
        """The bars that the settings name; of several symbols their index, which carries the market."""
        from stresslab.data.sources.load_market import load_data

        bars = load_data(self.data.split(SEVERAL), self.since, self.until, self.repair, self.exchange)
        return bars if self.days_per_year is None else bars.of_year(self.days_per_year)

    def make_generator(self, given: Collection[str] = ()) -> Generator:
        """The generator that the settings name, with those of them that it takes.

        Args:
            given: names of settings that were given; one for generators that this one does not take is refused.
        """
        from stresslab.generators.registry import make_generator, settings_of

        known = settings_of(self.generator)
        names = [name for name, field in type(self).model_fields.items() if extra(field)["of_generator"]]
        chosen = {name: getattr(self, name) for name in names if name in known or name in given}
        return make_generator(self.generator, **chosen)


class SampleConfig(UniverseConfig):
    """The settings of `stresslab sample`."""

    backend: Literal["loky", "dask"] = setting(
        RUN, "NAME", "Kind of workers: loky, processes of this machine; dask, those of a cluster.", "loky",
        decides=False,
    )  # fmt: skip
    scheduler: str | None = setting(
        RUN, "ADDRESS", "Dask scheduler, such as tcp://10.0.0.1:8786; without it, workers on this machine.", None,
        decides=False,
    )  # fmt: skip
    memory: str | None = setting(
        RUN, "SIZE", "Memory that all workers on this machine may take together, such as 4GB.", None, decides=False
    )
    out: str = setting(COMMON, "DIR", "Folder for the universes; it must hold none of another run.", decides=False)

    @field_validator("memory")
    @classmethod
    def _known_memory(cls, text: str | None) -> str | None:
        if text is not None:
            parse_size(text)
        return text

    @model_validator(mode="after")
    def _scheduler_of_dask(self) -> Self:
        if self.scheduler is not None and self.backend != "dask":
            raise InputError(f"scheduler={self.scheduler!r} is for Dask; add `backend=dask`")
        return self


class StressConfig(SampleConfig):
    """The settings of `stresslab run`. Warm-up is in bars, cash in the currency of the bars."""

    strategies: tuple[str, ...] = setting(
        COMMON, "STRATEGY", "Strategy files, or file.py:name where a file has several.", min_length=1
    )
    param: dict[str, Any] = setting(
        COMMON, "K=V", "Set a parameter, such as fast=10; may be repeated.", default_factory=dict
    )
    holdout: str | None = setting(
        BARS, "SPAN", "Keep the last bars out of everything, for example 2Y, 6M or 500 bars; freeze the strategy "
        "before you look at them.", None,
    )  # fmt: skip
    fees: float = setting(
        COMMON, "FRACTION", "Fee as a fraction of a trade's value; below 0 a rebate.", 0.0005, ge=-0.01, lt=1.0
    )
    slippage: float = setting(
        COMMON, "FRACTION", "Slippage per fill as a fraction of the price.", 0.0005, ge=0.0, lt=1.0
    )
    init_cash: float = setting(COMMON, "CASH", "Cash at the start.", 100_000.0, gt=0.0, allow_inf_nan=False)
    out: str = setting(COMMON, "DIR", "Folder for the run's folder.", "reports", decides=False)
    grid: dict[str, Any] | None = setting(
        COMMON, "K=VALUES", "Try all sets of values: fast=5:20:5 (from, to, step) or slow=30,60; may be repeated.",
        None,
    )  # fmt: skip
    warmup: int = setting(STRATEGY, "BARS", "Bars of real history on which indicators warm up.", 500, ge=0)
    position: Literal["carry", "flat"] = setting(
        STRATEGY, "carry|flat", "carry opens at the first generated bar what the strategy holds at the origin; flat "
        "waits for a new signal.", "carry",
    )  # fmt: skip
    allow_lookahead: bool = setting(
        STRATEGY, "", "Go on, and say so everywhere, when a strategy decides from later bars.", False
    )
    accept_untrusted: bool = setting(
        STRATEGY, "", "Judge the strategy even on universes that do not resemble the market.", False
    )
    strategy_timeout: float = setting(
        STRATEGY, "SECONDS", "Longest that one call of a strategy's code may take.", 300.0, gt=0.0, le=1e7
    )
    allow_failures: int = setting(
        STRATEGY, "N", "Universes in which a strategy's code may fail; they are left out.", 0, ge=0
    )
    fixed_fee: float = setting(COSTS, "CASH", "Fee per order, whatever its size.", 0.0, ge=0.0, allow_inf_nan=False)
    slippage_volatility: float = setting(
        COSTS, "MULTIPLE", "Further slippage, in standard deviations of the last 20 bars.", 0.0, ge=0.0, le=10.0
    )
    borrow_fee: float = setting(
        COSTS, "FRACTION", "Cost a year of being short, of the position's value.", 0.0, ge=0.0, lt=10.0
    )
    funding: float = setting(
        COSTS, "FRACTION", "Funding a year of perpetuals: longs pay, shorts receive.", 0.0, ge=-10.0, lt=10.0
    )
    min_trade: float = setting(
        COSTS, "CASH", "Orders of less value are skipped unless they close the position.", 0.0, ge=0.0,
        allow_inf_nan=False,
    )  # fmt: skip
    symbol_costs: dict[str, float] | None = setting(
        COSTS, "SYMBOL.COST=VALUE", "A cost of one of several symbols that differs from the others', for example "
        "BTCUSDT.fees=0.001; may be repeated.", None,
    )  # fmt: skip
    sizing: str = setting(
        COSTS, "RULE", "Size of a full position: all-in, fraction=0.5, cash=10000 or volatility=0.15 a year.", "all-in"
    )
    stop_loss: float | None = setting(
        COSTS, "FRACTION", "Leave inside a bar at this loss on the entry price.", None, gt=0.0, lt=1.0
    )
    take_profit: float | None = setting(
        COSTS, "FRACTION", "Leave inside a bar at this gain on the entry price.", None, gt=0.0, lt=10.0
    )
    trailing_stop: float | None = setting(
        COSTS, "FRACTION", "Leave inside a bar this far from the best price of earlier bars.", None, gt=0.0, lt=1.0
    )
    max_leverage: float = setting(
        COSTS, "MULTIPLE", "Most exposure over equity; 1 is no credit. There are no margin calls.", 1.0, ge=1.0,
        le=1000.0,
    )  # fmt: skip
    risk_free: float = setting(
        COSTS, "FRACTION", "Interest a year on cash; Sharpe and Sortino subtract it.", 0.0, ge=-1.0, lt=1.0
    )
    rebalance: str = setting(
        COSTS, "RULE", "When target weights are orders: on-change, every-bar, or band=0.05 (when they have drifted by "
        "that).", "on-change",
    )  # fmt: skip
    walk_forward: str | None = setting(
        STUDIES, "WHEN", "Repeat the test from past dates: how many (6), how far apart (3M), or their months "
        "(2000-03,2008-09).", None,
    )  # fmt: skip
    alternative_generators: bool = setting(
        STUDIES, "", "Repeat the test with other generators of the same volatility.", False
    )
    generator_sweep: bool = setting(
        STUDIES, "", "Repeat the test over the generator's temperature, top-p and context.", False
    )
    portfolio: dict[str, float] | None = setting(
        STUDIES, "NAME=SHARE", "Judge strategies together too, each on its share of the capital, for example "
        "sma_cross=0.6,rsi_reversion=0.4.", None,
    )  # fmt: skip
    trials: float | None = setting(
        STUDIES, "N", "Variants tried before these were chosen: the best of many is discounted. Those in the ledger "
        "beside the runs always count.", None, ge=1.0, allow_inf_nan=False,
    )  # fmt: skip
    permutations: int = setting(
        STUDIES, "N", "Random orders of the real bars against which timing is judged; 0 leaves this out.", 999, ge=0,
        le=100_000,
    )  # fmt: skip
    precision: float | None = setting(
        STUDIES, "FRACTION", "Sample until half the interval of P(loss) is this, for example 0.01.", None, gt=0.0,
        lt=0.5,
    )  # fmt: skip
    sizes: str | None = setting(
        STUDIES, "LIMIT", "How large to trade: the largest size that keeps a limit such as "
        "'P(drawdown > 20%) <= 5%', and Kelly's.", None,
    )  # fmt: skip
    shock: tuple[str, ...] = setting(
        STUDIES, "SHOCK", "Put a shock into the universes, which go on after it: gap=-8%@10, volatility=2@20..40, "
        "bars=crash_2020_03@15 or halt=3@11; bars count from 1; may be repeated.", (),
    )  # fmt: skip
    scenarios: str | None = setting(
        STUDIES, "NAMES", "Put crises into the universes: all, names with commas between them, or a YAML file of your "
        "own; `stresslab scenarios` lists them.", None,
    )  # fmt: skip
    given: tuple[str, ...] = setting(
        STUDIES, "CONDITION", "Judge where a condition holds too, and say how probable it is: 'volatility >= 1.5x', "
        "'return(60) <= -20%', 'drawdown >= 30%' or 'like 2008-09..2009-03'; may be repeated.",
        (),
    )  # fmt: skip
    realism_origins: int = setting(
        STUDIES, "N", "Past origins at which universes are compared with what followed; 0 leaves this out.", 24, ge=0,
        le=1000,
    )  # fmt: skip
    limits: dict[str, Any] | None = setting(
        STUDIES, "FILE", "Limits to hold each strategy to: a YAML file, or a preset such as challenge-static.", None,
        decides=False,
    )  # fmt: skip
    fail_on: tuple[str, ...] = setting(
        RUN, "LABEL", "Exit with 4 on these verdicts; `limits`: unless all limits are kept.", (), decides=False,
    )  # fmt: skip
    no_cache: bool = setting(
        RUN, "", "Sample all universes again, and keep none; see `stresslab cache`.", False, decides=False
    )
    watch: bool = setting(RUN, "", "Run again on each save; show what changed.", False, decides=False)
    verbose: bool = setting(
        RUN, "", "Print all evidence, as `stresslab show` does.", False,
        decides=False,
    )  # fmt: skip

    @field_validator("symbol_costs")
    @classmethod
    def _known_costs(cls, given: dict[str, float] | None) -> dict[str, float] | None:
        from stresslab.backtest import Costs
        from stresslab.backtest.costs import costs_by_symbol

        costs_by_symbol(given or {}, Costs())
        return given

    @field_validator("sizing")
    @classmethod
    def _known_sizing(cls, text: str) -> str:
        from stresslab.backtest.terms import Sizing

        return str(Sizing.parse(text))

    @field_validator("rebalance")
    @classmethod
    def _known_rebalance(cls, text: str) -> str:
        from stresslab.backtest.terms import parse_rebalance

        return parse_rebalance(text)

    @field_validator("fail_on")
    @classmethod
    def _known_labels(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        from stresslab.analysis.result_models import LABELS

        for label in labels:
            if label not in (*LABELS, "limits"):
                raise InputError(f"fail_on={label!r} is not a verdict{did_you_mean(label, [*LABELS, 'limits'])}")
        return labels

    @field_validator("limits", mode="before")
    @classmethod
    def _read_limits(cls, given: Any) -> Any:
        return given if given is None else LimitSettings.read(given).model_dump(mode="json", exclude_unset=True)

    @model_validator(mode="after")
    def _limits_to_fail_on(self) -> Self:
        if "limits" in self.fail_on and self.limits is None:
            raise InputError("fail_on='limits' has no limits to fail on; add `limits`, a YAML file or a preset")
        return self

    def limit_plan(self) -> LimitPlan | None:
        """What each strategy is held to; None without limits."""
        return None if self.limits is None else LimitSettings.read(self.limits).plan()

    def bars(self) -> Bars:
        """The bars that the settings name, without those that are held out."""
        from stresslab.data.origin import hold_out

        bars = super().bars()
        return bars if self.holdout is None else hold_out(bars, self.holdout)

    def terms(self) -> Terms:
        """The terms of the accounts that the settings describe."""
        from stresslab.backtest import Costs, Sizing, Stops, Terms
        from stresslab.backtest.costs import costs_by_symbol

        costs = Costs(**{one.name: getattr(self, one.name) for one in fields(Costs)})
        stops = Stops(**{one.name: getattr(self, one.name) for one in fields(Stops)})
        return Terms(
            costs,
            Sizing.parse(self.sizing),
            stops,
            self.init_cash,
            self.warmup,
            self.position,
            self.max_leverage,
            self.risk_free,
            self.rebalance,
            costs_by_symbol(self.symbol_costs or {}, costs),
        )

    def walk_forward_dates(self) -> int | str | list[str] | None:
        """How many dates, the distance between them, or their months, as `stress_test` takes them."""
        text = self.walk_forward
        if text is None:
            return None
        if text.isdigit():
            return int(text)
        return [part.strip() for part in text.split(",")] if "-" in text or "," in text else text

    def arguments(self, **compute: Any) -> dict[str, Any]:
        """These settings as arguments of `stress_test`; bars and generator are the caller's.

        Args:
            compute: attributes of `Compute` that are not settings: `cluster`, `work`, another `ledger` or `cache`.
        """
        from stresslab.analysis.what_if_plan import WhatIfPlan
        from stresslab.runs.plan import Compute, Studies

        own: dict[str, Any] = {"ledger": self.out, "cache": not self.no_cache}
        return {
            "strategy": list(self.strategies),
            "universes": self.universes,
            "horizon": self.horizon,
            "origin": self.origin,
            "seed": self.seed,
            "params": self.param,
            "grid": self.grid,
            "terms": self.terms(),
            "studies": Studies(
                walk_forward=self.walk_forward_dates(),
                alternative_generators=self.alternative_generators,
                generator_sweep=self.generator_sweep,
                trials=self.trials,
                permutations=self.permutations,
                precision=self.precision,
                realism_origins=self.realism_origins,
                portfolio=self.portfolio,
                sizes=self.sizes,
                limits=self.limit_plan(),
                what_if=WhatIfPlan(self.shock, self.scenarios, self.given),
            ),
            "compute": Compute(
                jobs=self.jobs,
                memory=self.memory,
                strategy_timeout=self.strategy_timeout,
                allow_failures=self.allow_failures,
                **own | compute,
            ),
            "allow_lookahead": self.allow_lookahead,
            "accept_untrusted": self.accept_untrusted,
            "config": self.recorded(),
        }

    def recorded(self) -> dict[str, Any]:
        """All settings as plain JSON, and the command that makes the run again."""
        return super().recorded() | {"command": self.command()}

    def command(self) -> str:
        """The command line that makes this run again: settings that are not defaults and may change figures."""
        words = ["stresslab", "run", *self.strategies]
        for name, value in self.model_dump(mode="json").items():
            field, flag = type(self).model_fields[name], f"--{name.replace('_', '-')}"
            if name == "strategies" or not extra(field)["decides"]:
                continue
            if value == field.get_default(call_default_factory=True):
                continue
            if isinstance(value, Mapping):
                spelled = {key: _range(one) if name == "grid" else _literal(one) for key, one in value.items()}
                words += [word for key, one in spelled.items() for word in (flag, f"{key}={one}")]
            elif name == "data":
                words += [flag, *value.split(SEVERAL)]
            elif isinstance(value, list):
                words += [word for one in value for word in (flag, one)]
            else:
                words += [flag] if value is True else [flag, str(value)]
        return " ".join(shlex.quote(one_line(word)) for word in words)


class RealismConfig(UniverseConfig):
    """The settings of `stresslab realism`."""

    universes: int = setting(COMMON, "N", "How many universes to sample at each origin.", 64, ge=2, le=100_000_000)
    realism_origins: int = setting(
        COMMON, "N", "Past origins at which universes are compared with what followed.", 24, ge=1, le=1000
    )
    fit_temperature: bool = setting(
        UNIVERSES, "", "Choose the temperature that fits what followed at past origins.", False
    )
    out: str | None = setting(COMMON, "FILE", "JSON file to write everything to.", None, decides=False)


def _literal(value: Any) -> str:
    """A parameter's value as the command line spells it: text that would be read as a number is quoted."""
    from stresslab.strategy.parameters import literal

    return repr(value) if isinstance(value, str) and literal(value) != value else str(value)


def _range(values: Any) -> str:
    """The values of a grid as the command line spells them: 5:20:5 where whole numbers are evenly spread, or a list."""
    if isinstance(values, str):
        return values
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in values)
    if whole and len(values) > 2:
        step = values[1] - values[0]
        if step and list(values) == list(range(values[0], values[-1] + (1 if step > 0 else -1), step)):
            return f"{values[0]}:{values[-1]}:{step}"
    return ",".join(str(value) for value in values)
