"""`stresslab models`: the models of Kronos that can be named; loading one is the generator's business."""

from __future__ import annotations

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
