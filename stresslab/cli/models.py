"""`stresslab models`: the Kronos models that can be named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stresslab.cli.console import say

EXAMPLE = """Example:

stresslab models
"""


def models() -> None:
    """List the models that --model can name."""
    from stresslab.generators.kronos.checkpoint import NANO, PUBLISHED, load_checkpoint

    bundled = load_checkpoint(NANO).describe()
    rows = [
        ("model", "window", "trained until", "where"),
        (NANO, str(bundled["max_context"]), str(bundled["trained_until"]), "bundled with stresslab"),
        *((name, str(entry.max_context), entry.trained_until, "Hugging Face hub") for name, entry in PUBLISHED.items()),
        ("FOLDER", "", "", "your own: model/ and tokenizer/, as `stresslab train` writes them"),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        say("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]))
    for line in _calibration(load_checkpoint(NANO).calibration):
        say(line)


def _calibration(found: Mapping[str, Any] | None) -> list[str]:
    """What was measured of nano on held-out series, a line for each kind of bars."""
    if found is None:
        return []
    lines = ["", f"nano on held-out series: {found['about']}"]
    for kind, row in found["kinds"].items():
        coverage, drawdowns, volatility = (row[key] for key in ("coverage_90", "drawdown_coverage_90", "volatility"))
        ratio = row.get("crps_ratio")
        scored = "" if ratio is None else f"; CRPS {_ratio(ratio)} of the better baseline's"
        lines.append(
            f"  {kind}: {row['origins']:,} origins of {row['horizon']} bars; 90% intervals held "
            f"{_share(coverage)} of returns, {_share(drawdowns)} of drawdowns; volatility {_ratio(volatility)} of "
            f"reality's{scored}"
        )
    return lines


def _share(found: Mapping[str, float]) -> str:
    return f"{found['value']:.1%} [{found['low']:.1%}, {found['high']:.1%}]"


def _ratio(found: Mapping[str, float]) -> str:
    return f"{found['value']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"
