"""`stresslab models`: the Kronos models that can be named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from stresslab.cli.console import say

EXAMPLE = """Example:

stresslab models

stresslab models models/mine
"""
Model = Annotated[
    str | None,
    typer.Argument(
        metavar="[MODEL]", help="Only this one, with what was measured of it: a folder, or nano.", show_default=False
    ),
]


def models(model: Model = None) -> None:
    """List the models that --model can name, and what their universes were measured to be worth."""
    from stresslab.generators.kronos.checkpoint_files import NANO, PUBLISHED, find_checkpoint

    if model is not None and model in PUBLISHED:
        rows = [(model, str(PUBLISHED[model].max_context), PUBLISHED[model].trained_until, "Hugging Face hub")]
        found = None
    else:
        files = find_checkpoint(model or NANO)
        found, about = files.calibration, files.describe()
        where = "bundled with stresslab" if files.name == NANO else "a folder"
        rows = [(files.name, str(about["max_context"]), str(about["trained_until"] or "unknown"), where)]
    if model is None:
        rows += [
            (one, str(entry.max_context), entry.trained_until, "Hugging Face hub") for one, entry in PUBLISHED.items()
        ]
        rows += [("FOLDER", "", "", "your own: model/ and tokenizer/, as `stresslab train` writes them")]
    rows = [("model", "window", "trained until", "where"), *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        say("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]))
    for line in _calibration(rows[1][0], found):
        say(line)


def _calibration(name: str, found: Mapping[str, Any] | None) -> list[str]:
    """What was measured of a model on held-out series, a line for each kind of bars."""
    if found is None:
        return ["", f"{name} was not measured on held-out series"]
    lines = ["", f"{name} on held-out series: {found['about']}"]
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
