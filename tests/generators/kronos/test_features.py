"""Representations by what a checkpoint's config records."""

from __future__ import annotations

import pytest

from stresslab.core.errors import CheckpointError
from stresslab.generators.kronos.features import representation
from stresslab.generators.kronos.level_features import Levels
from stresslab.generators.kronos.return_features import Returns

HISTORY, FUTURE = 400, 50


def test_settings_make_the_same_representation() -> None:
    """What a checkpoint's config records is read back as the same object."""
    for scaled in (Levels(clip=4.0), Returns(half_lives=(3.0, 30.0), gain=(1.1,) * 5), Returns()):
        assert representation(scaled.settings()) == scaled
    assert representation(None) == Levels()


@pytest.mark.parametrize("settings", [{"kind": "wavelets"}, {}, {"kind": "returns", "halflives": [1]}])
def test_unknown_settings_are_refused(settings: dict[str, object]) -> None:
    """A config of another kind is named."""
    with pytest.raises(CheckpointError, match=r"config\.json"):
        representation(settings)


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_of_drift_is_a_share(share: float) -> None:
    """Outside [0, 1] it is refused by name."""
    with pytest.raises(CheckpointError, match="own_drift"):
        representation({"kind": "returns", "own_drift": share})
