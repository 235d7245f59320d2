"""How much memory and disk something takes: sizes as people write them, chunks that fit, and refusal before the start.

Figures per bar are measured (`benchmarks/scale.py` prints them) and rounded up.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from stresslab.core.errors import InputError

PROCESS = 500 * 2**20
"""Bytes of a process that has everything imported; 365 MiB with the bootstrap, 480 MiB with Kronos-nano."""
PER_BAR = 250
"""Bytes per universe and bar, of warm-up and horizon, while strategies run; 12 to 35 are measured, and a strategy may
make some twenty frames of its own."""
DISK_PER_BAR = 40
"""Bytes per universe and bar of a shard; 27 to 32 after compression."""
DISK_PER_ROW = 250
"""Bytes of a row of measures in a shard; 160 to 200, and half of that in the result."""
TILE, LARGEST = 64, 8192
"""Universes that Kronos samples together, of which chunks are multiples; and of the largest chunk, beyond which nothing
gets faster."""
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


def parse_size(text: str | int, name: str = "memory") -> int:
    """Bytes of a size such as 4GB, 512 MiB or 1.5g.

    Args:
        text: the size.
        name: of the setting, for the error.

    Raises:
        InputError: the text is not a size.
    """
    found = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*([kmgt]i?)?b?\s*", str(text), re.IGNORECASE)
    size = round(float(found[1]) * _UNITS[(found[2] or "").lower()]) if found else 0
    if size <= 0:
        raise InputError(f"{name}={str(text)!r:.40} is not a size; write for example 4GB or 512MiB")
    return size


def readable(size: float) -> str:
    """A size in bytes for people: 1.6 GB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def chunk_size(memory: int | None, jobs: int, horizon: int, warmup: int = 0) -> int:
    """Universes that a process may hold at a time, so that all processes together stay within the memory.

    Each of `jobs` processes and the one that leads them takes `PROCESS`; what is left is shared among the workers, at
    `PER_BAR` a universe and bar. The result is the largest multiple of `TILE` that fits, at most `LARGEST`.

    Args:
        memory: bytes in all; None for no limit.
        jobs: worker processes; 1 works in the leading one.
        horizon: generated bars.
        warmup: bars of history that a strategy sees before them.

    Raises:
        InputError: not even one tile fits.
    """
    if memory is None:
        return 16 * TILE
    processes = 1 if jobs <= 1 else jobs + 1
    each = (memory - processes * PROCESS) / max(jobs, 1)
    tile = TILE * PER_BAR * (horizon + warmup)
    if each < tile:
        least = processes * PROCESS + max(jobs, 1) * tile
        raise InputError(
            f"memory={readable(memory)} is too little for {jobs} {'job' if jobs == 1 else 'jobs'} of {horizon} bars; "
            f"give at least `memory={-(-least // 10**6)}MB`, or fewer `jobs`"
        )
    return min(int(each // tile), LARGEST // TILE) * TILE


def rows_need(universes: int, strategies: int) -> int:
    """Bytes that the rows of a run take on disk, at most: those of finished shards and those of the result."""
    return 2 * universes * strategies * DISK_PER_ROW + 10**7


def disk_need(universes: int, horizon: int) -> int:
    """Bytes that the shards of so many universes take on disk, at most."""
    return universes * horizon * DISK_PER_BAR


def check_disk(folder: Path, need: int) -> str:
    """What is needed and what is free, in words; refuses what does not fit, with a tenth to spare.

    Args:
        folder: there already, or to be made below a folder that is.
        need: bytes.

    Raises:
        InputError: less is free.
    """
    place = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(place).free
    need_and_free = f"up to {readable(need)} on disk, {readable(free)} are free"
    if need * 1.1 > free:
        raise InputError(f"{folder}: needs {need_and_free}; give fewer `universes` or another folder")
    return need_and_free
