"""Which code ran where: versions, machine, and a hash of the sources."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]


def environment() -> dict[str, Any]:
    """Versions and machine, for the manifest."""
    packages = (
        *("stresslab", "numpy", "pandas", "torch", "safetensors", "vectorbt", "numba", "scipy", "arch", "joblib"),
        "pyarrow",
    )
    versions = {name: metadata.version(name) for name in packages}
    return {
        "python": platform.python_version(),
        "platform": _platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "versions": versions,
    }


def _platform() -> str:
    """The operating system and the C library with their versions, without what a vendor's build adds."""
    release = re.match(r"[\d.]*", platform.release())
    parts = (f"{platform.system()} {release[0] if release else ''}", " ".join(platform.libc_ver()))
    return ", ".join(part.strip() for part in parts if part.strip())


def _processor() -> str:
    """The model of the processor, on which the last bits of a matrix product may depend."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


@lru_cache(maxsize=1)
def code() -> Mapping[str, str | None]:
    """Which code runs: `sha256` over the package's sources, and the `commit` of its tree, where it is in one."""
    return {"sha256": sources_digest(), "commit": _commit(PACKAGE.parent)}


def sources_digest(*parts: str) -> str:
    """SHA-256 over the names and contents of sources of the package.

    Args:
        parts: subpackages to look at; all of it by default.
    """
    digest = hashlib.sha256()
    for place in [PACKAGE / part for part in parts] or [PACKAGE]:
        for path in sorted(place.rglob("*.py")):
            digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _commit(root: Path) -> str | None:
    if not (root / ".git").exists():
        return None
    try:
        found = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None
