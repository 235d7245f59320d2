"""What a package needs of one that stands above it, found by name when it is first asked for.

`stresslab/__init__.py` says where such things are, as it does for `core.display`; nobody imports upward.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_LOADERS: dict[str, Callable[[], Any]] = {}


def provide(name: str, load: Callable[[], Any]) -> None:
    """Take what has this name from a function, which is called each time it is asked for."""
    _LOADERS[name] = load


def provided(name: str) -> Any:
    """What has this name.

    Raises:
        RuntimeError: nobody said where it is, since the package itself was not imported.
    """
    if name not in _LOADERS:
        raise RuntimeError(f"nothing says where {name!r} is found; import stresslab first")
    return _LOADERS[name]()
