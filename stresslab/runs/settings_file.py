"""A YAML file of settings, read safely: no code in it runs, and it cannot grow into more than settings take.

`settings` says what the settings mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from stresslab.core.errors import InputError

MAX_BYTES, MAX_VALUES = 2**20, 10_000
"""Of a file of settings: aliases of YAML can make billions of values from a few lines."""
MAX_WHOLE = 2**64
"""Whole numbers in a file of settings are smaller than this."""


def read_settings_file(path: str | Path, example: str = "`horizon: 250`") -> dict[str, Any]:
    """The settings in a YAML file by name, unchecked, so that flags can replace some of them first.

    Args:
        path: of the file.
        example: of a line, for the message where it holds none.

    Raises:
        InputError: it cannot be read, is not YAML, names a setting twice, or holds more than settings do.
    """
    import yaml

    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} cannot be read (not a regular file); give a YAML file")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} has more than {MAX_BYTES:,} bytes; settings take a page")
        content = _parsed(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give a YAML file") from None
    except (yaml.YAMLError, ValueError, ArithmeticError, RecursionError) as error:  # ValueError: 2018-13-45 is no date
        where = " ".join(str(error).split())
        raise InputError(f"{path} is not YAML ({where:.200}); write lines such as {example}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} holds {type(content).__name__}, not settings; write lines such as {example}")
    values = list(islice(_values(content), MAX_VALUES))
    if len(values) == MAX_VALUES:
        raise InputError(f"{path} holds {MAX_VALUES:,} values or more; settings take a page")
    if any(isinstance(value, int) and abs(value) >= MAX_WHOLE for value in values):
        raise InputError(f"{path} holds a whole number of 2^64 or more, or its negative; write a smaller one")
    return _as_fields(path, content)


def _parsed(text: str) -> Any:
    """The content of YAML text; a key that stands twice in one mapping is refused, where YAML would take the last."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            twice = next((key for key in keys if keys.count(key) > 1), None)
            if twice is not None:
                raise yaml.YAMLError(f"{twice!r:.80} stands there twice, line {node.start_mark.line + 1} on")
            return super().construct_mapping(node, deep)

    return yaml.load(text, Loader)


def _as_fields(path: Path, content: Mapping[Any, Any]) -> dict[str, Any]:
    """Settings by the names of fields, in which words may be joined by hyphens too."""
    named: dict[str, Any] = {}
    for key, value in content.items():
        name = str(key).replace("-", "_")
        if name in named:
            raise InputError(f"{path}: {name!r} is given twice, with hyphens and with underscores; keep one")
        named[name] = value
    return named


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
