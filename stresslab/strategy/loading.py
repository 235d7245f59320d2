"""From an argument to strategies: the functions and classes in a file, callables, and the parameter sets of a grid.

The user's file is run here, once; `strategy.strategy` calls what it defines.
"""

from __future__ import annotations

import copyreg
import hashlib
import importlib.util
import inspect
import itertools
import marshal
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from stresslab.core.errors import StrategyError
from stresslab.core.text import did_you_mean
from stresslab.strategy import parameters
from stresslab.strategy.examples import SCHEME, example_path
from stresslab.strategy.frameworks import vectorbt_script
from stresslab.strategy.frameworks.registry import SUFFIXES, foreign, framework_of, refusal
from stresslab.strategy.frameworks.standins import standing_in
from stresslab.strategy.panel import Kind
from stresslab.strategy.parameters import DECLARATION, MAX_SETS
from stresslab.strategy.sandbox import CALL_TIMEOUT_SECONDS, CallLog, aside, blaming, within_memory
from stresslab.strategy.strategy import METHODS, Strategy, has_method, owner

_IMPORTS: dict[str, list[float]] = {}
"""Seconds of each import of a file in this process."""


@dataclass(frozen=True)
class _Found:
    """What an argument names: a strategy whose parameters are still unset, and what is declared of them."""

    strategy: Strategy
    ranges: Mapping[str, Any] = field(default_factory=dict)

    @property
    def declared(self) -> dict[str, inspect.Parameter]:
        """The parameters of a function after its bars (or its state and bar), or of a class's constructor."""
        function, kind = self.strategy._function, self.strategy.kind
        if has_method(function) and not inspect.isclass(function):
            function = getattr(function, kind)
        skipped = 0 if inspect.isclass(function) else 2 if kind == "on_bar" else 1
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        listed = list(_signature(function).values())[skipped:]
        return {item.name: item for item in listed if item.kind in named}

    def with_values(self, given: Mapping[str, Any], chosen: Mapping[str, Any]) -> Strategy:
        """The strategy with its parameters: those given to all, and those that a grid chose for this one."""
        name = self.strategy.name
        values = parameters.values_of(name, self.declared, self.ranges, {**given, **chosen})
        named = {key: values[key] for key in chosen}
        return replace(self.strategy, name=name + parameters.label(named), parameters=values, ranges=self.ranges)


def load_strategies(
    argument: Any,
    params: Mapping[str, Any],
    grid: Mapping[str, Any] | None = None,
    *,
    patience: float = CALL_TIMEOUT_SECONDS,
) -> list[Strategy]:
    """The strategies that an argument names.

    Args:
        argument: a path, `path:name`, `example:name`, a callable, an object or a class with one of the methods
            `signals`, `weights` and `on_bar`, or a list of these.
        params: keyword arguments; each goes to every strategy that has such a parameter, converted to the type of its
            default.
        grid: values by parameter, a sequence or a text such as "5:20:5"; each strategy is there once for every set of
            values of those parameters that it has.
        patience: seconds that one call may take.

    Returns:
        Strategies with names of their own: a second `sma_cross` is called `sma_cross-2`, and one of a grid
        `sma_cross[fast=5,slow=30]`.
    """
    items = list(argument) if isinstance(argument, (list, tuple)) else [argument]
    if not items:
        raise StrategyError("no strategy was given; name at least one file, such as strategies/sma_cross.py")
    found = [_found(item, patience) for item in items]
    values = {name: parameters.grid_values(name, given) for name, given in (grid or {}).items()}
    known = {name for one in found for name in one.declared}
    for name in (*params, *values):
        if name not in known:
            given = params[name] if name in params else values[name]
            raise StrategyError(
                f"{name}={given!r:.80}: no strategy has a parameter {name!r}"
                + (did_you_mean(name, sorted(known)) if known else "; none of them has parameters")
            )
        if name in params and name in values:
            raise StrategyError(f"{name} has one value, {params[name]!r}, and a grid of values; leave one of them out")
    strategies: dict[str, Strategy] = {}
    for one in found:
        for loaded in _sets(one, params, values):
            numbered = (loaded.name if at == 1 else f"{loaded.name}-{at}" for at in itertools.count(1))
            name = next(name for name in numbered if name not in strategies)
            strategies[name] = replace(loaded, name=name, log=CallLog())
            if len(strategies) > max(MAX_SETS, len(found)):
                raise StrategyError(
                    f"the grid makes more than {MAX_SETS:,} strategies of {len(found)}; take larger steps or fewer of "
                    "them"
                )
    return list(strategies.values())


def _sets(one: _Found, params: Mapping[str, Any], values: Mapping[str, list[Any]]) -> Iterator[Strategy]:
    """A strategy once for every set of those of its parameters that have several values."""
    own = {name: parameters.grid_values(name, [parameters.converted(name, value, item) for value in values[name]])
           for name, item in one.declared.items() if name in values}  # fmt: skip
    for chosen in parameters.expand(own):
        yield one.with_values(params, chosen)


def _reduced(strategy: Strategy) -> tuple[Any, ...]:
    """Pickle and copy a strategy of a file by path, name and settings, so that a worker loads the file again."""
    settings = {item.name: getattr(strategy, item.name) for item in fields(strategy) if item.name != "log"}
    if strategy.path is None:
        return _rebuilt, (settings,)
    del settings["_function"], settings["kind"]
    settings["path"] = os.path.abspath(strategy.path)  # a worker may be in another folder
    return reload, (settings,)


copyreg.pickle(Strategy, _reduced)


def _rebuilt(settings: Mapping[str, Any]) -> Strategy:
    return Strategy(**settings)


def reload(settings: Mapping[str, Any]) -> Strategy:
    """The strategy that was pickled; refuses a file that has changed since."""
    path, entry = settings["path"], settings["_entry"]
    again = _from_file(path, entry, settings["patience"]).strategy
    if again.digest != settings["digest"]:
        raise StrategyError(f"{path} has changed since the run began; start the run again")
    return replace(again, **settings)


def _found(item: Any, patience: float) -> _Found:
    """What one argument names."""
    if isinstance(item, (str, os.PathLike)):
        text = os.fspath(item)
        if text.startswith(SCHEME) and not os.path.exists(text):
            text = example_path(text)
        path, colon, name = text.rpartition(":")
        if colon and name.isidentifier() and not os.path.exists(text):
            return _from_file(path, name, patience)
        return _from_file(text, None, patience)
    if not callable(item) and not has_method(item):
        raise StrategyError(
            f"{item!r:.60} of type {type(item).__name__} is not a strategy; give a path, `path:name`, a function, or "
            f"an object with a method {', '.join(METHODS)}"
        )
    name = owner(item).__name__.strip("<>")
    function = _adapted(name, item, None)
    found = _Found(Strategy(name, {}, _kind(function, name), None, _digest(item), function, name, patience=patience))
    return replace(found, ranges=_ranges(name, item, None, list(found.declared)))


def _from_file(path: str, name: str | None, patience: float) -> _Found:
    """The strategy in a file: the function or class called `name`, or the only one there is."""
    content = strategy_file(path).read_bytes()
    if vectorbt_script.is_script(content) and name in (None, "signals"):
        return _script(path, content, patience)
    if refused := refusal(content):
        raise StrategyError(f"{path} {refused}")
    source, module = _load_module(path, patience)
    if name is None:
        choices: dict[str, Any] = {
            entry: getattr(module, entry) for entry in METHODS if callable(getattr(module, entry, None))
        }
        own = {key: value for key, value in vars(module).items() if inspect.isclass(value) and not key.startswith("_")}
        choices |= {
            key: one
            for key, one in own.items()
            if (has_method(one) or framework_of(one)) and one.__module__ == module.__name__
        }
        if not choices:
            raise StrategyError(f"{path} {foreign(module, content)}")
        if len(choices) > 1:
            names = " or ".join(f"{path}:{entry}" for entry in choices)
            raise StrategyError(f"{path} has several strategies, {', '.join(choices)}; name one of them: {names}")
        ((entry, function),) = choices.items()
        name = Path(path).stem
    else:
        entry, function = name, getattr(module, name, None)
        if not callable(function) and not has_method(function):
            known = [key for key, value in vars(module).items() if inspect.isroutine(value) or has_method(value)]
            raise StrategyError(f"{path} has no function or class {name!r}{did_you_mean(name, known)}")
    declares = function
    function = _adapted(path, function, module)
    strategy = Strategy(name, {}, _kind(function, entry), path, _sha256(source), function, entry, patience=patience)
    found = _Found(strategy)
    return replace(found, ranges=_ranges(path, declares, module, list(found.declared)))


def _script(path: str, source: bytes, patience: float) -> _Found:
    """A file that is a script from its first line to its last."""
    try:
        function = vectorbt_script.adapted(path, source)
    except ValueError as error:
        raise StrategyError(f"{path} {error}") from None
    name = Path(path).stem
    return _Found(Strategy(name, {}, "any", path, _sha256(source), function, "signals", patience=patience))


def _adapted(who: str, theirs: Any, module: ModuleType | None) -> Any:
    """A class of another framework as a function; what its file declares wrongly is refused. All else as it is."""
    framework = framework_of(theirs)
    if framework is None:
        return theirs
    try:
        return framework.adapted(theirs, module)
    except ValueError as error:
        raise StrategyError(f"{who}: {error}") from None


def _ranges(who: str, function: Any, module: ModuleType | None, declared: list[str]) -> dict[str, Any]:
    """What `PARAMETERS` of a class (or of a function, or of the file) says of a strategy's own parameters."""
    own = getattr(function, DECLARATION, None)
    if own is not None:
        return parameters.check_declaration(who, own, declared)
    if module is None or not hasattr(module, DECLARATION):
        return {}
    everyone = [name for value in vars(module).values() if callable(value) for name in _names(value)]
    of_file = parameters.check_declaration(who, getattr(module, DECLARATION), [*declared, *everyone])
    return {name: allowed for name, allowed in of_file.items() if name in declared}


def _names(function: Any) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _kind(function: Any, name: str) -> Kind:
    """What is called: by the method's name, the function's name or its first parameters."""
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise StrategyError(f"{name} is async or yields, so that calling it answers nothing; write a def that returns")
    if has_method(function):
        methods = [method for method in METHODS if callable(getattr(function, method, None))]
        if len(methods) > 1:
            raise StrategyError(f"{name} has the methods {', '.join(methods)}; keep one of them")
        return methods[0]
    if inspect.isclass(function):
        raise StrategyError(f"class {name} has no method signals(self, bars), weights(self, bars) or on_bar; add one")
    for method in METHODS:
        if name == method:
            return method
    return "on_bar" if list(_signature(function))[:2] == ["state", "bar"] else "any"


def _signature(function: Any) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise StrategyError(f"{function!r:.60} has no signature to read; wrap it in def signals(bars): ...") from None


def strategy_file(path: str) -> Path:
    """The Python file at a path.

    Raises:
        StrategyError: there is none.
    """
    file = Path(path)
    if file.is_file() and file.suffix.lower() in SUFFIXES:
        raise StrategyError(f"{path} {SUFFIXES[file.suffix.lower()]}")
    if not file.is_file() or file.suffix != ".py":
        near = sorted(str(one) for one in file.parent.glob("*.py")) if file.parent.is_dir() else []
        state = "is not a Python file" if file.exists() else "does not exist"
        otherwise = None if near else "give the path of a .py file"
        raise StrategyError(f"{path} {state}{did_you_mean(path, near, otherwise)}")
    return file


def _load_module(path: str, patience: float) -> tuple[bytes, ModuleType]:
    """A file's source, with that of the neighbours it imports, and a fresh module of it.

    The module is part of a package of its own for each folder, so that `from .helper import f` finds the neighbour
    and names never collide; `import helper` works while it loads, and leaves nothing behind in `sys.modules`.
    """
    file = strategy_file(path)
    source, folder = file.read_bytes(), str(file.resolve().parent)
    package = f"stresslab_strategies_{_sha256(folder.encode())[:12]}"
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]
    sys.modules[package] = ModuleType(package)
    sys.modules[package].__path__ = [folder]
    spec = importlib.util.spec_from_file_location(f"{package}.{file.stem}", file)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    who = f"{path} cannot be loaded: it"
    beside: list[str] = []
    began = time.perf_counter()
    bounds = aside(CallLog()), within_memory(), blaming(who, path, patience)
    with bounds[0], bounds[1], bounds[2], standing_in(source), _importing_from(folder, beside):
        # compiled here, since a cached bytecode file may be older than an edit within the same second
        exec(compile(source, str(file.resolve()), "exec"), vars(module))
    _IMPORTS.setdefault(str(file.resolve()), []).append(time.perf_counter() - began)
    return source + b"".join(Path(one).read_bytes() for one in sorted(beside)), module


def import_seconds(path: str) -> float:
    """Seconds that a file's own code ran for when it was imported again in this process; 0 where it was not.

    The first time, libraries are imported as well, which others need not do again.
    """
    return min(_IMPORTS.get(str(Path(path).resolve()), [])[1:], default=0.0)


@contextmanager
def _importing_from(folder: str, beside: list[str]) -> Iterator[None]:
    """Let `import neighbour` work for a while, then forget the neighbours so that no other folder meets them.

    Their files are added to `beside`: another neighbour makes another strategy.
    """
    before = set(sys.modules)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
        files = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before}
        homes = (os.path.join(folder, "{0}.py"), os.path.join(folder, "{0}", "__init__.py"))
        tops = {name for name, file in files.items() if file in [path.format(name) for path in homes]}
        inside = os.path.join(folder, "")
        beside += {file for file in files.values() if file.startswith(inside) and file.endswith(".py")}
        for name in files:
            if name.partition(".")[0] in tops:
                del sys.modules[name]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest(function: Any) -> str:
    """SHA-256 of a callable's source, or of its code where the source is not to be had."""
    code = owner(function)
    try:
        return _sha256(inspect.getsource(code).encode())
    except (OSError, TypeError):
        return _sha256(marshal.dumps(code.__code__) if hasattr(code, "__code__") else repr(code).encode())
