"""Work in pieces that can be resumed."""

from __future__ import annotations

from pathlib import Path

from stresslab.core.checkpoints import Shards


def work(folder: Path, count: int = 5, **plan: int) -> Shards:
    """Five pieces."""
    return Shards(folder, {"seed": 1} | plan, count, lambda position: f"piece-{position}")
