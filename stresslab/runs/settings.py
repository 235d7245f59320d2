"""The settings of a run, from flags or a YAML file, checked once; what they set in motion is `stress`'s business."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from stresslab.core.errors import InputError
from stresslab.core.limits import parse_size
from stresslab.core.text import did_you_mean, one_line

if TYPE_CHECKING:
    from stresslab.analysis.result import StressResult
    from stresslab.backtest import Terms
    from stresslab.core.parallel import Workers
    from stresslab.data import Bars
    from stresslab.generators.base import Generator
    from stresslab.runs.trial_ledger import Earlier

MAX_BYTES, MAX_VALUES = 2**20, 10_000
"""Of a file of settings: aliases of YAML may make thousands of millions of values from a few lines."""


class SampleConfig(BaseModel):
    """Everything that decides universes: bars, origin, generator. What a strategy does in them is `StressConfig`'s.

    Fractions are fractions (0.01 is one percent), horizons and contexts are bars.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str
    since: str | None = None
    until: str | None = None
    repair: bool = False
    exchange: str | None = None
    origin: str | None = None
    horizon: int = Field(default=120, ge=1, le=100_000)
    universes: int = Field(default=1000, ge=1, le=100_000_000)
    generator: str = "kronos"
    model: str = "nano"
    temperature: float = Field(default=1.0, gt=0.0, le=100.0, allow_inf_nan=False)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    top_k: int = Field(default=0, ge=0)
    context: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**64)
    jobs: int = Field(default=0, ge=0, description="workers; 0 means one per processor")
    device: str = "auto"
    dtype: Literal["float32", "bfloat16"] = "float32"
    out: str = "reports"

    @classmethod
    def of(cls, given: Mapping[str, Any], source: str = "settings") -> Self:
        """The settings given, checked; the rest are defaults.

        Raises:
            InputError: one line naming the first wrong value, its rule and the remedy.
        """
        for key in given:
            if key not in cls.model_fields:
                raise InputError(f"{source}: {key!r} is not a setting{did_you_mean(key, list(cls.model_fields))}")
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            value = "nothing" if first["type"] == "missing" else f"{first['input']!r:.200}"
            flag = "--" + name.split(".")[0].replace("_", "-")
            rule = first["msg"][0].lower() + first["msg"][1:]
            raise InputError(f"{source}: {name}={value} is refused: {rule}; correct {flag}") from None

    @classmethod
    def read(cls, path: str | Path) -> dict[str, Any]:
        """The mapping in a YAML file, unchecked, so that flags can be laid over it before `of`."""
        import yaml

        path = Path(path)
        try:
            if path.exists() and not path.is_file():
                raise InputError(f"--config {path} cannot be read (it is no regular file); give a YAML file")
            if path.stat().st_size > MAX_BYTES:
                raise InputError(f"--config {path} has more than {MAX_BYTES:,} bytes; settings take a page")
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"--config {path} cannot be read ({error.strerror}); give a YAML file") from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: 2018-13-45 is no date
            where = " ".join(str(error).split())
            raise InputError(f"--config {path} is not YAML ({where}); write lines such as `horizon: 120`") from None
        if not isinstance(content, dict):
            raise InputError(f"--config {path} holds {type(content).__name__}, not settings; write `horizon: 120`")
        if sum(1 for _ in islice(_values(content), MAX_VALUES)) == MAX_VALUES:
            raise InputError(f"--config {path} holds {MAX_VALUES:,} values or more; settings take a page")
        return {str(key).replace("-", "_"): value for key, value in content.items()}


class SamplingConfig(SampleConfig):
    """Everything that `stresslab sample` can be told: who samples, and in how much memory, beside what."""

    backend: Literal["loky", "dask"] = "loky"
    scheduler: str | None = None
    memory: str | None = None

    @field_validator("memory")
    @classmethod
    def _known_memory(cls, text: str | None) -> str | None:
        if text is not None:
            parse_size(text)
        return text

    @model_validator(mode="after")
    def _scheduler_of_dask(self) -> Self:
        if self.scheduler is not None and self.backend != "dask":
            raise InputError(f"scheduler={self.scheduler!r} is Dask's; add --backend dask")
        return self


class StressConfig(SamplingConfig):
    """Everything that `stresslab run` can be told; flags are spelled as these fields.

    Warm-ups are bars, cash is in the data's currency.
    """

    strategies: tuple[str, ...] = Field(min_length=1)
    param: dict[str, Any] = Field(default_factory=dict)
    grid: dict[str, Any] | None = None
    strategy_timeout: float = Field(default=300.0, gt=0.0, le=1e7)
    allow_failures: int = Field(default=0, ge=0)
    warmup: int = Field(default=500, ge=0)
    position: Literal["carry", "flat"] = "carry"
    fees: float = Field(default=0.0005, ge=0.0, lt=1.0)
    slippage: float = Field(default=0.0005, ge=0.0, lt=1.0)
    fixed_fee: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    slippage_volatility: float = Field(default=0.0, ge=0.0, le=10.0)
    borrow: float = Field(default=0.0, ge=0.0, lt=10.0)
    funding: float = Field(default=0.0, ge=-10.0, lt=10.0)
    min_trade: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    init_cash: float = Field(default=100_000.0, gt=0.0, allow_inf_nan=False)
    sizing: str = "all-in"
    stop_loss: float | None = Field(default=None, gt=0.0, lt=1.0)
    take_profit: float | None = Field(default=None, gt=0.0, lt=10.0)
    trailing_stop: float | None = Field(default=None, gt=0.0, lt=1.0)
    max_leverage: float = Field(default=1.0, ge=1.0, le=1000.0)
    risk_free: float = Field(default=0.0, ge=-1.0, lt=1.0)
    book: dict[str, float] | None = None
    origins: str | None = None
    contrasts: bool = False
    knobs: bool = False
    trials: float | None = Field(default=None, ge=1.0, allow_inf_nan=False)
    permutations: int = Field(default=999, ge=0, le=100_000, description="0 leaves the real bars out of edge")
    precision: float | None = Field(default=None, gt=0.0, lt=0.5)
    allow_lookahead: bool = False
    realism_origins: int = Field(default=24, ge=0, le=1000, description="0 leaves realism unassessed")
    accept_untrusted: bool = False
    fail_on: tuple[str, ...] = ()

    @field_validator("sizing")
    @classmethod
    def _known_sizing(cls, text: str) -> str:
        from stresslab.backtest.terms import Sizing

        return str(Sizing.parse(text))

    @property
    def origins_wanted(self) -> int | str | list[str] | None:
        """How many origins, the distance between them, or their months, as `stress_test` takes them."""
        text = self.origins
        if text is None:
            return None
        if text.isdigit():
            return int(text)
        return [part.strip() for part in text.split(",")] if "-" in text or "," in text else text

    def recorded(self) -> dict[str, Any]:
        """These settings as plain JSON; of execution, what is set."""
        settings = self.model_dump(mode="json")
        rare = (name for name in type(self).model_fields if name in RARE)
        unset = {name for name in rare if settings[name] == type(self).model_fields[name].default}
        return {name: value for name, value in settings.items() if name not in unset} | {"command": self.command()}

    def command(self) -> str:
        """The command line that makes this run again: what is not a default, and what decides figures."""
        words = ["stresslab", "run", *self.strategies, "--data", self.data]
        for name, value in self.model_dump(mode="json").items():
            if name not in LOCAL and value != type(self).model_fields[name].default:
                words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
        for name, value in self.param.items():
            words += ["--param", f"{name}={value}"]
        for name, values in (self.grid or {}).items():
            words += ["--grid", f"{name}={_range(values)}"]
        if self.book:
            words += ["--book", ",".join(f"{name}={part}" for name, part in self.book.items())]
        return " ".join(shlex.quote(one_line(word)) for word in words)


LOCAL = ("data", "jobs", "out", "fail_on", "strategies", "param", "grid", "book")
"""Settings that do not decide the figures, or are spelled in a way of their own."""
RARE = (
    *("fixed_fee", "slippage_volatility", "borrow", "funding", "min_trade", "sizing", "stop_loss", "take_profit"),
    *(
        "trailing_stop",
        "max_leverage",
        "risk_free",
        "book",
        "origins",
        "contrasts",
        "knobs",
        "trials",
        "precision",
        "dtype",
    ),
    *("grid", "strategy_timeout", "allow_failures", "backend", "scheduler", "memory"),
)
"""Settings that most runs do without, recorded where they are set."""


class RealismConfig(SampleConfig):
    """Everything that `stresslab realism` can be told beside where to write."""

    universes: int = Field(default=64, ge=2, le=100_000_000)
    realism_origins: int = Field(default=24, ge=1, le=1000)
    fit_temperature: bool = False


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


def _values(tree: Any) -> Iterator[Any]:
    """Every value in plain data, again at each place where an alias stands for it."""
    waiting = [iter([tree])]
    while waiting:
        for value in waiting[-1]:
            yield value
            if isinstance(value, dict | list):
                waiting.append(iter(value.values() if isinstance(value, dict) else value))
                break
        else:
            waiting.pop()


COSTS = ("fees", "slippage", "fixed_fee", "slippage_volatility", "borrow", "funding", "min_trade")


OF_GENERATORS = ("model", "temperature", "top_p", "top_k", "context", "device", "dtype")
"""Settings that are a generator's own, where it has them."""


def bars_of(settings: SampleConfig) -> Bars:
    """The bars that the settings name."""
    from stresslab.data import load_bars

    return load_bars(settings.data, settings.since, settings.until, settings.repair, settings.exchange)


def generator_of(settings: SampleConfig, insisted: Mapping[str, Any] | None = None) -> Generator:
    """The generator that the settings name, with those of them that it takes.

    Args:
        settings: of a run.
        insisted: names of settings that were asked for; one that the generator does not take is refused.
    """
    from stresslab.generators.registry import make_generator, settings_of

    known = settings_of(settings.generator)
    names = (name for name in OF_GENERATORS if name in known or name in (insisted or {}))
    return make_generator(settings.generator, **{name: getattr(settings, name) for name in names})


def terms_of(settings: StressConfig) -> Terms:
    """The terms of the accounts that the settings describe."""
    from stresslab.backtest import Costs, Sizing, Stops, Terms

    return Terms(
        Costs(**{name: getattr(settings, name) for name in COSTS}),
        Sizing.parse(settings.sizing),
        Stops(settings.stop_loss, settings.take_profit, settings.trailing_stop),
        settings.init_cash,
        settings.warmup,
        settings.position,
        settings.max_leverage,
        settings.risk_free,
    )


def stress(
    settings: StressConfig,
    bars: Bars,
    generator: Generator,
    progress: Callable[[str, int, int], None] | None = None,
    ledger: Earlier | None = None,
    cluster: Workers | None = None,
    work: Path | None = None,
) -> StressResult:
    """The stress test that the settings describe, on these bars and with this generator.

    `cluster` and `work` are those of `stress_test`. The ledger beside the runs says what was tested on the same bars
    before; for a run that is done again, what it said.
    """
    from stresslab.runs.stress_test import stress_test

    terms = terms_of(settings)
    return stress_test(
        list(settings.strategies),
        bars,
        generator,
        settings.universes,
        settings.horizon,
        settings.origin,
        terms.costs,
        settings.seed,
        params=settings.param,
        grid=settings.grid,
        strategy_timeout=settings.strategy_timeout,
        allow_failures=settings.allow_failures,
        warmup=terms.warmup,
        position=terms.position,
        init_cash=terms.init_cash,
        sizing=terms.sizing,
        stops=terms.stops,
        max_leverage=terms.max_leverage,
        risk_free=terms.risk_free,
        book=settings.book,
        origins=settings.origins_wanted,
        contrasts=settings.contrasts,
        knobs=settings.knobs,
        trials=settings.trials,
        ledger=settings.out if ledger is None else ledger,
        permutations=settings.permutations,
        precision=settings.precision,
        allow_lookahead=settings.allow_lookahead,
        realism_origins=settings.realism_origins,
        accept_untrusted=settings.accept_untrusted,
        jobs=settings.jobs,
        memory=settings.memory,
        cluster=cluster,
        work=work,
        progress=progress,
        config=settings.recorded(),
    )
