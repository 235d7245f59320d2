"""`stresslab cache`: universes kept from earlier runs, in `stresslab.core.cache`."""

from __future__ import annotations

from typing import Annotated

import typer

from stresslab.cli.console import say
from stresslab.core.errors import InputError

EXAMPLE = """Example:

stresslab cache

stresslab cache clear
"""
SHOW, CLEAR = "show", "clear"


def cache(
    action: Annotated[
        str, typer.Argument(metavar="[show|clear]", help="show what is kept, or clear it.", show_default=False)
    ] = SHOW,
) -> None:
    """Show or clear what earlier runs sampled, which later runs read instead of sampling it again.

    STRESSLAB_CACHE names another folder, STRESSLAB_CACHE_SIZE another limit, such as 500MB.
    """
    from stresslab.core.cache import Cache
    from stresslab.core.limits import readable

    if action not in (SHOW, CLEAR):
        raise InputError(f"{action!r} is neither {SHOW} nor {CLEAR}; write `stresslab cache {CLEAR}` to empty it")
    store = Cache.of_user()
    if action == CLEAR:
        count = store.clear()
        say(f"{count:,} {'entry' if count == 1 else 'entries'} removed from {store.folder}")
        return
    entries = store.entries()
    size = sum(size for _, size in entries.values())
    say(f"{store.folder}: {readable(size)} of at most {readable(store.limit)}")
    for kind, (count, taken) in entries.items():
        say(f"  {kind.replace('_', ' ')}: {count:,}, {readable(taken)}")
