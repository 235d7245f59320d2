"""Strategies: the user's code, found in a file or given as a function, and called so that its faults are its own.

What it sees and answers is `panel`'s business; whether it looks ahead is asked in `lookahead`, what it earns in
`backtest`.
"""

from __future__ import annotations

import copy
import difflib
import functools
import hashlib
import importlib.util
import inspect
import itertools
import marshal
import operator
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stresslab.data.bars import FIELDS
from stresslab.errors import StrategyError
from stresslab.panel import Bar, Decisions, Kind, Panel, read_decisions

METHODS: tuple[Kind, ...] = ("signals", "weights", "on_bar")
_EXAMPLES = {"bool": "true", "int": "10", "float": "0.5", "str": "daily"}


@dataclass(frozen=True, eq=False)
class Strategy:
    """One strategy with its parameters.

    Attributes:
        name: the file's stem, the name after the colon or the callable's name.
        parameters: every keyword argument with the value that it gets.
        kind: what is called.
        path: the file, or None for a callable.
        digest: SHA-256 of the source.
    """

    name: str
    parameters: dict[str, Any]
    kind: Kind
    path: str | None
    digest: str
    _function: Any = field(repr=False)
    """A function, or a class or an object that has the method `kind`."""
    _entry: str = field(repr=False, default="")
    """The function's or class's name in the file."""

    def decide(self, panel: Panel, *, allow_silence: bool = False) -> Decisions:
        """Call the user's code once on the whole panel (`on_bar`: bar by bar) and check what it answers.

        Args:
            panel: bars of N universes.
            allow_silence: accept weights that are NaN in every row, as on a panel shorter than the warm-up.

        Raises:
            StrategyError: the code raised, or its answer is no decision; one line, with the user's own line of code.
        """
        with _blaming(f"strategy {self.name!r}", self.path or _file_of(self._function)):
            answer = self._walk(panel) if self.kind == "on_bar" else self._fresh()(panel)
        try:
            decisions = read_decisions(self.kind, answer, panel)
            if decisions.weights is not None and not allow_silence and np.isnan(decisions.weights).all():
                raise StrategyError(
                    f"every weight in {panel.rows} rows is NaN, so it can never trade; return 0 for flat, or give it "
                    "more bars than its longest window"
                )
        except StrategyError as error:
            raise StrategyError(f"strategy {self.name!r}: {error}") from None
        return decisions

    def _fresh(self) -> Callable[..., Any]:
        """The user's function with its parameters; of a class or an object a new one, so that no call sees another."""
        if inspect.isclass(self._function):
            return getattr(self._function(**self.parameters), self.kind)  # type: ignore[no-any-return] # the user's method
        if _has_method(self._function):
            return functools.partial(getattr(copy.deepcopy(self._function), self.kind), **self.parameters)
        return functools.partial(self._function, **self.parameters)

    def _walk(self, panel: Panel) -> NDArray[np.float64]:
        """`on_bar` at each bar of each universe, with a state and (for a class) an object of its own."""
        targets = np.full(panel.shape[::-1], np.nan)  # (N, W + T)
        stamps, arrays = list(panel.timestamps), [panel.array(name) for name in FIELDS]
        for universe, row in enumerate(targets):
            on_bar, state = self._fresh(), dict[str, Any]()
            bars = zip(stamps, *(array[:, universe].tolist() for array in arrays), strict=True)
            for at, values in enumerate(bars):
                target = on_bar(state, Bar._make(values))
                if target is None:
                    continue
                if not isinstance(target, (float, int, np.number, np.bool_)):
                    raise StrategyError(
                        f"strategy {self.name!r}: on_bar returned {target!r:.60} at {values[0]}; return a number, the "
                        "target weight, or None to keep what is held"
                    )
                row[at] = target
        return targets.T

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle a file's strategy by path, name and parameters; a worker loads the file again."""
        if self.path is None:
            return Strategy, tuple(getattr(self, item.name) for item in fields(self))
        return _reload, (self.path, self._entry, self.name, self.parameters, self.digest)


def load_strategies(argument: Any, params: Mapping[str, Any]) -> list[Strategy]:
    """The strategies that an argument names.

    Args:
        argument: a path, `path:name`, a callable, an object or a class with one of the methods `signals`, `weights`
            and `on_bar`, or a list of these.
        params: keyword arguments; each goes to every strategy that has such a parameter, converted to the type of its
            default.

    Returns:
        Strategies with names of their own: a second `sma_cross` is called `sma_cross-2`.
    """
    items = list(argument) if isinstance(argument, (list, tuple)) else [argument]
    if not items:
        raise StrategyError("no strategy was given; name at least one file, such as strategies/sma_cross.py")
    found = [_found(item) for item in items]
    declared = {name for one in found for name in _declared(one._function, one.kind)}
    for name in params:
        if name not in declared:
            raise StrategyError(
                f"{name}={params[name]!r}: no strategy has a parameter {name!r}; "
                + (_did_you_mean(name, sorted(declared)) if declared else "none of them has parameters")
            )
    strategies: dict[str, Strategy] = {}
    for one in found:
        numbered = (one.name if number == 1 else f"{one.name}-{number}" for number in itertools.count(1))
        name = next(name for name in numbered if name not in strategies)
        strategies[name] = replace(one, name=name, parameters=_parameters(one, params))
    return list(strategies.values())


def _reload(path: str, entry: str, name: str, parameters: dict[str, Any], digest: str) -> Strategy:
    """The strategy that was pickled; refuses a file that has changed since."""
    again = _from_file(path, entry)
    if again.digest != digest:
        raise StrategyError(f"{path} has changed since the run began; start the run again")
    return replace(again, name=name, parameters=parameters)


def _found(item: Any) -> Strategy:
    """The strategy that one argument names, its parameters still unset."""
    if isinstance(item, (str, os.PathLike)):
        text = os.fspath(item)
        path, colon, name = text.rpartition(":")
        if colon and name.isidentifier() and not os.path.exists(text):
            return _from_file(path, name)
        return _from_file(text, None)
    if not callable(item) and not _has_method(item):
        raise StrategyError(
            f"{item!r:.60} of type {type(item).__name__} is no strategy; give a path, `path:name`, a function, or an "
            f"object with a method {', '.join(METHODS)}"
        )
    name = _owner(item).__name__.strip("<>")
    return Strategy(name, {}, _kind(item, name), None, _digest(item), item, name)


def _from_file(path: str, name: str | None) -> Strategy:
    """The strategy in a file: the function or class called `name`, or the only one there is."""
    source, module = _load_module(path)
    if name is None:
        choices: dict[str, Any] = {
            entry: getattr(module, entry) for entry in METHODS if callable(getattr(module, entry, None))
        }
        own = {key: value for key, value in vars(module).items() if inspect.isclass(value) and not key.startswith("_")}
        choices |= {key: one for key, one in own.items() if _has_method(one) and one.__module__ == module.__name__}
        if not choices:
            raise StrategyError(f"{path} has no function signals(bars), weights(bars) or on_bar(state, bar); add one")
        if len(choices) > 1:
            names = " or ".join(f"{path}:{entry}" for entry in choices)
            raise StrategyError(f"{path} has several strategies, {', '.join(choices)}; name one of them: {names}")
        ((entry, function),) = choices.items()
        return Strategy(Path(path).stem, {}, _kind(function, entry), path, _sha256(source), function, entry)
    function = getattr(module, name, None)
    if not callable(function) and not _has_method(function):
        known = [key for key, value in vars(module).items() if inspect.isroutine(value) or _has_method(value)]
        raise StrategyError(f"{path} has no function or class {name!r}; {_did_you_mean(name, known)}")
    return Strategy(name, {}, _kind(function, name), path, _sha256(source), function, name)


def _kind(function: Any, name: str) -> Kind:
    """What is called: told by the method's name, the function's name or its first parameters."""
    if _has_method(function):
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


def _has_method(thing: Any) -> bool:
    return not inspect.isroutine(thing) and any(callable(getattr(thing, method, None)) for method in METHODS)


def _signature(function: Any) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise StrategyError(f"{function!r:.60} has no signature to read; wrap it in def signals(bars): ...") from None


def _declared(function: Any, kind: Kind) -> dict[str, inspect.Parameter]:
    """The parameters of a function after its bars (or its state and bar), or of a class's constructor."""
    if _has_method(function) and not inspect.isclass(function):
        function = getattr(function, kind)
    skipped = 0 if inspect.isclass(function) else 2 if kind == "on_bar" else 1
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    listed = list(_signature(function).values())[skipped:]
    return {item.name: item for item in listed if item.kind in named}


def _parameters(strategy: Strategy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Each parameter's value: the one given, converted to its default's or annotation's type, or the default."""
    values = {}
    for name, item in _declared(strategy._function, strategy.kind).items():
        if name not in params and item.default is item.empty:
            raise StrategyError(f"strategy {strategy.name!r} needs a value for {name!r}; pass --param {name}=VALUE")
        annotated = getattr(item.annotation, "__name__", item.annotation)
        kind = annotated if item.default is item.empty or item.default is None else type(item.default).__name__
        values[name] = _converted(name, params[name], kind) if name in params else item.default
    return values


def _converted(name: str, value: Any, kind: Any) -> Any:
    """A parameter's value as bool, int, float or str; of any other kind as it came."""
    if kind not in _EXAMPLES:
        return value
    text = str(value).strip()
    try:
        if kind == "bool":
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        if kind != "str" and isinstance(value, bool):
            raise ValueError
        if kind == "int":
            return int(text) if isinstance(value, str) else operator.index(int(value) if value == int(value) else value)
        return float(text) if kind == "float" else text
    except (KeyError, ValueError, TypeError, OverflowError):
        raise StrategyError(f"{name}={value!r} is not of type {kind}; write for example {_EXAMPLES[kind]}") from None


def _load_module(path: str) -> tuple[bytes, ModuleType]:
    """A file's source and a fresh module of it.

    The module is part of a package of its own for each folder, so that `from .helper import f` finds the neighbour
    and names never collide; `import helper` works while it loads, and leaves nothing behind in `sys.modules`.
    """
    file = Path(path)
    if not file.is_file() or file.suffix != ".py":
        near = sorted(str(one) for one in file.parent.glob("*.py")) if file.parent.is_dir() else []
        state = "is no Python file" if file.exists() else "does not exist"
        raise StrategyError(f"{path} {state}; {_did_you_mean(path, near) if near else 'give the path of a .py file'}")
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
    with _blaming(f"{path} cannot be loaded: it", path), _importing_from(folder):
        # compiled here, since a cached bytecode file may be older than an edit within the same second
        exec(compile(source, str(file.resolve()), "exec"), vars(module))
    return source, module


@contextmanager
def _importing_from(folder: str) -> Iterator[None]:
    """Let `import neighbour` work for a while, then forget the neighbours so that no other folder meets them."""
    before = set(sys.modules)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
        files = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before}
        beside = (os.path.join(folder, "{0}.py"), os.path.join(folder, "{0}", "__init__.py"))
        tops = {name for name, file in files.items() if file in [path.format(name) for path in beside]}
        for name in files:
            if name.partition(".")[0] in tops:
                del sys.modules[name]


@contextmanager
def _blaming(who: str, file: str) -> Iterator[None]:
    """Turn an error in the user's code into one line that shows the last of the user's own lines."""
    try:
        yield
    except StrategyError:
        raise
    except (Exception, SystemExit) as error:
        text = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())[:300]
        raised = f"{type(error).__name__}: {text}" if text else type(error).__name__
        read_only = "read-only" in text or "cannot assign to field" in text
        remedy = "the bars are read-only, work on a copy" if read_only else "correct it there"
        raise StrategyError(f"{who} raised {raised}{_own_line(error, file)}; {remedy}") from error


def _own_line(error: BaseException, file: str) -> str:
    """The last line of code in the traceback that stands in the user's file or in a neighbour of it."""
    lines = [(at.filename, at.lineno, at.line) for at in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        lines.append((error.filename or file, error.lineno, (error.text or "").strip()))
    folder = os.path.dirname(os.path.realpath(file))
    for name, number, text in reversed(lines):
        if name == file or (file and name[0] != "<" and os.path.dirname(os.path.realpath(name)) == folder):
            return f", at {Path(name).name} line {number}: `{text}`"
    return ""


def _did_you_mean(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _owner(function: Any) -> Any:
    """What has a name and a source: the function inside a partial, the class of an object."""
    function = function.func if isinstance(function, functools.partial) else function
    return function if inspect.isroutine(function) or inspect.isclass(function) else type(function)


def _file_of(function: Any) -> str:
    try:
        return inspect.getfile(_owner(function))
    except (OSError, TypeError):
        return ""


def _digest(function: Any) -> str:
    """SHA-256 of a callable's source, or of its code where the source is not to be had."""
    owner = _owner(function)
    try:
        return _sha256(inspect.getsource(owner).encode())
    except (OSError, TypeError):
        return _sha256(marshal.dumps(owner.__code__) if hasattr(owner, "__code__") else repr(owner).encode())
