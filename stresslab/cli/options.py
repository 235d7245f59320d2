"""Flags from the settings: a command takes a settings model, and gets one, made of flags, a file and defaults.

What the settings are and which values are allowed is decided by `stresslab.runs.settings`.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from stresslab.cli.short_help import HELP_ALL, show_all, with_rare
from stresslab.cli.values import PARSERS, number, split, whole
from stresslab.core.errors import InputError
from stresslab.core.text import did_you_mean
from stresslab.runs.setting import PANELS, RUN, Config, extra
from stresslab.runs.settings import SEVERAL, SampleConfig, StressConfig, UniverseConfig
from stresslab.runs.settings_file import read_settings_file

if TYPE_CHECKING:
    from stresslab.core.dask import Cluster
    from stresslab.generators.base import Generator

Model = TypeVar("Model", bound=Config)

CONFIG = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="YAML file of settings; a flag wins over it.", rich_help_panel=RUN),
]
EVERYTHING = Annotated[
    bool,
    typer.Option(
        "--help-all", callback=show_all, is_eager=True, show_default=False, metavar="",
        rich_help_panel=RUN, help="Explain all flags, not the common ones alone.",
    ),
]  # fmt: skip
ARGUMENTS = ("strategies", "run", "runs", "folder", "limits_file", "trades")
"""Settings that stand on the command line without a flag, before all others."""
FIRST = ("data", "param", "grid", "horizon", "universes")
"""Settings that stand first in their panel."""
RARE = frozenset({
    "repair", "exchange", "days_per_year", "holdout", "shift",
    "temperature", "top_p", "top_k", "context", "device", "dtype", "dependence",
    "warmup", "position", "allow_lookahead", "accept_untrusted", "strategy_timeout", "allow_failures", "block",
    "fixed_fee", "slippage_volatility", "borrow_fee", "funding", "min_trade", "symbol_costs", "sizing", "stop_loss",
    "take_profit", "trailing_stop", "max_leverage", "risk_free", "rebalance", "borrow_rate", "maintenance", "max_size",
    "alternative_generators", "generator_sweep", "portfolio", "permutations", "precision", "realism_origins",
    "backend", "scheduler", "memory", "no_cache", "keep_accounts", "accounts",
})  # fmt: skip
"""Settings that few need: the short help gives their names alone."""


def sample_names() -> list[str]:
    """The samples, as `--data` takes them; the demo's comes first."""
    from stresslab.data.sources.load import MARKETS, SAMPLES

    names = [f"sample:{name}" for name in (*SAMPLES, *MARKETS)]
    return sorted(names, key=lambda name: name != DEMO)


def beginning(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """What completes a word: those of the names that begin like it."""
    return lambda incomplete: [name for name in names() if name.startswith(incomplete)]


def _examples() -> list[str]:
    from stresslab.strategy.examples import SCHEME, examples_folder

    files = sorted(Path().glob("*.py")) + sorted(Path().glob("*/*.py"))
    return [f"{SCHEME}{path.stem}" for path in sorted(examples_folder().glob("*.py"))] + [str(file) for file in files]


def _generators() -> Iterable[str]:
    from stresslab.generators.registry import GENERATORS

    return GENERATORS


DEMO = "sample:bitcoin"
COMPLETIONS = {
    "data": beginning(sample_names),
    "strategies": beginning(_examples),
    "generator": beginning(_generators),
}
"""What a shell offers for the value of a setting."""


def takes(model: type[Model], only: Collection[str] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the flags of a settings model; it is called with the context and the settings.

    Args:
        model: of which each field becomes a flag of its name, in the order of the panels.
        only: names of the fields, where not all are wanted.
    """

    def decorate(function: Callable[[typer.Context, Model], None]) -> Callable[..., None]:
        def command(ctx: typer.Context, **flags: Any) -> None:
            function(ctx, read_settings(ctx, model))

        wanted = {name: field for name, field in model.model_fields.items() if not only or name in only}
        ordered = sorted(wanted, key=lambda name: _place(name, wanted[name]))
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters = [inspect.Parameter("ctx", kind, annotation=typer.Context)]
        parameters += [_parameter(name, wanted[name]) for name in ordered]
        parameters.append(inspect.Parameter("config", kind, default=None, annotation=CONFIG))
        rare = {name: extra(wanted[name])["panel"] for name in ordered if name in RARE}
        if rare:
            parameters.append(inspect.Parameter(HELP_ALL, kind, default=False, annotation=EVERYTHING))
        command.help_class = with_rare(rare)  # type: ignore[attr-defined] # read where the command is registered
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # read by typer
        command.__name__, command.__doc__, command.__module__ = function.__name__, function.__doc__, function.__module__
        return command

    return decorate


def _place(name: str, field: FieldInfo) -> tuple[bool, int, bool]:
    """Where a setting stands in the help: arguments, then panel by panel, those that nearly all runs name first."""
    return name not in ARGUMENTS, PANELS.index(extra(field)["panel"]), name not in FIRST


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    """A field as the parameter of a command: an argument for those of `ARGUMENTS`, a flag for all else."""
    more = extra(field)
    about: dict[str, Any] = {"help": field.description, "rich_help_panel": more["panel"], "metavar": more["metavar"]}
    if name in COMPLETIONS:
        about["autocompletion"] = COMPLETIONS[name]
    kind = _kind(field.annotation)
    default = None if field.is_required() or kind is list else field.default
    if name in ARGUMENTS:
        about.pop("rich_help_panel")
        option: Any = typer.Argument(show_default=False, **about)
    elif kind is bool:
        short = ["-v"] if name == "verbose" else []
        option = typer.Option(f"--{name.replace('_', '-')}", *short, show_default=False, **about)
    else:
        if kind in (int, float):
            about["parser"] = whole if kind is int else number
        option = typer.Option(show_default=kind is not list, **about)
    shown: Any = list[str] if kind is list else kind
    annotation = Annotated[shown if default is not None else shown | None, option]  # type: ignore[valid-type] # a variable
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _kind(annotation: Any) -> type:
    """The type of a flag for a field's: bool, int, float, str, or list for what may be repeated."""
    chosen = next((one for one in get_args(annotation) if one is not NoneType), annotation)
    plain = annotation if get_origin(annotation) in (tuple, dict) else chosen
    if get_origin(plain) in (tuple, dict):
        return list
    return plain if plain in (bool, int, float) else str


def joined_sources(words: Sequence[str]) -> list[str]:
    """A command line whose `--data A B C` is one value: what follows up to the next flag or strategy file.

    `train` takes its sources otherwise.
    """
    given = list(words)
    if "--data" not in given or "train" in given[:2]:
        return given
    first = given.index("--data") + 1
    last = first
    while last < len(given) and not given[last].startswith("-") and not re.search(r"\.py(:|$)", given[last]):
        last += 1
    return [*given[:first], *([SEVERAL.join(given[first:last])] if last > first else []), *given[last:]]


def read_settings(ctx: typer.Context, model: type[Model]) -> Model:
    """The settings of a command: flags over the `--config` file over the defaults, checked.

    Raises:
        InputError: one line with the first wrong setting.
    """
    flags = given_flags(ctx)
    path = flags.pop("config", None)
    merged = _file_settings(path, model) if path else {}
    flags |= {name: parse(flags[name]) for name, parse in PARSERS.items() if flags.get(name)}
    if "param" in flags:
        flags["param"] = merged.get("param", {}) | flags["param"]
    merged |= {name: value for name, value in flags.items() if name in model.model_fields}
    if issubclass(model, UniverseConfig) and not merged.get("data"):
        raise InputError(
            f"no bars are given; add --data with a file or a sample, for example --data {sample_names()[0]}; there are "
            f"{', '.join(sample_names())}"
        )
    if issubclass(model, StressConfig) and not merged.get("strategies"):
        raise InputError("no STRATEGY is given; name a file such as strategies/sma_cross.py, or example:sma_cross")
    for name in ARGUMENTS:
        if name in model.model_fields and model.model_fields[name].is_required() and not merged.get(name):
            raise InputError(f"no {extra(model.model_fields[name])['metavar']} is given; see {ctx.command_path} --help")
    return model.of(merged, source=f"settings ({path} and flags)" if path else "settings")


def given_flags(ctx: typer.Context) -> dict[str, Any]:
    """What was given on the command line or by the environment, without the defaults."""
    sources = {name: ctx.get_parameter_source(name) for name in ctx.params}
    return {
        name: ctx.params[name] for name, source in sources.items() if source is not None and source.name != "DEFAULT"
    }


def _file_settings(path: str, model: type[Config]) -> dict[str, Any]:
    """The file's settings that this command uses; a key that no command knows is refused."""
    content = read_settings_file(path)
    known = list(StressConfig.model_fields | model.model_fields)
    for key in content:
        if key not in known:
            raise InputError(f"{path}: {key!r} is not a setting{did_you_mean(key, known)}")
    if not isinstance(content.get("param", {}), dict):
        raise InputError(f"{path}: param={content['param']!r:.80} is not a mapping; write `param: {{fast: 10}}`")
    return {key: _plain(key, value) for key, value in content.items() if key in model.model_fields}


def _plain(key: str, value: Any) -> Any:
    """A value as a flag would give it: YAML reads 2018-06-29 as a date, and one strategy needs no list."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and key in ("strategies", "fail_on", "shock", "given"):
        return split([value]) if key == "fail_on" else [value]
    return value


def advice(generator: Generator, horizon: int) -> list[str]:
    """What would make a generator faster, with flags, if there is anything."""
    asked = getattr(generator, "advice", None)
    found = None if asked is None else asked(horizon)
    return [] if found is None else [re.sub(r"`(\w+)=([^`]*)`", r"--\1 \2", found)]


@contextmanager
def workers(settings: SampleConfig, jobs: int) -> Iterator[Cluster | None]:
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
    made = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    try:
        check_writable(folder)
        yield folder
    finally:
        for place in made:
            if os.path.isdir(place) and not any(place.iterdir()):
                place.rmdir()
