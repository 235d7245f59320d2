"""Rows of an index."""

from __future__ import annotations

from stresslab.analysis.result_models import LABELS, Share
from stresslab.report.formats.index_page import IndexRow


def rows(count: int = 12) -> list[IndexRow]:
    """Strategies on three markets, one of which tries to be more than text."""
    markets = ("bitcoin", "nasdaq", "<script>alert(1)</script>")
    return [
        IndexRow(
            strategy=f"strategy_{at}",
            market=markets[at % 3],
            label=LABELS[at % len(LABELS)],
            edge=("yes", "no", "unclear")[at % 3],
            loss=Share(value=at / count, low=max(0.0, at / count - 0.05), high=min(1.0, at / count + 0.05)),
            without=None if at == 3 else Share(value=0.4, low=0.3, high=0.5),
            planted=None if at == 3 else Share(value=0.3, low=0.2, high=0.4),
            realism=("trusted", "no fault found", "not trusted")[at % 3],
            universes=1000,
            seed=at,
            median=None if at == 3 else 0.01 * at,
            horizon=250,
            generator="kronos",
            limits=("", "kept", "not all kept")[at % 3],
            created=f"2026-01-{at + 1:02d}T10:00:00+00:00",
            state=("", "inside", "outside")[at % 3],
            run=f"run-{at}",
            report=f"run-{at}/report.html",
            tracking=f"tracking/run-{at}/track.html" if at % 3 else "",
        )
        for at in range(count)
    ]
