"""The losses of a training, drawn."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.image
import numpy as np
import pytest

from stresslab.report.charts.training_loss import losses_chart, write_losses


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("steps", [1, 24, 500])
def test_losses_are_drawn(tmp_path: Path, steps: int) -> None:
    """A training of any length gives a picture, the same at every call."""
    losses = np.exp(-np.arange(steps) / 100) + 1
    for name in ("a.png", "b.png"):
        write_losses(tmp_path / name, np.arange(1, steps + 1), losses, {"held-out loss": 1.4}, "nats a bar")
    assert matplotlib.image.imread(tmp_path / "a.png")[..., :3].std() > 0.03
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_losses_name_their_end_and_levels() -> None:
    """The sentence says where the training ends, the legend what it is compared with."""
    chart = losses_chart(np.arange(1, 101), np.full(100, 2.0), {"held-out loss": 1.4, "start": 3.0}, "nats a bar")
    assert chart.sentence == "It ends at 2.000, the mean of the last 10 of 100 steps."
    assert [meaning for _, meaning in chart.legend][2:] == ["held-out loss 1.400", "start 3.000"]
