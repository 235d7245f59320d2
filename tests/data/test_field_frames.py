"""Fields of bars by name."""

from __future__ import annotations

import pandas as pd
import pytest

from stresslab.data.bars import FIELDS
from stresslab.data.field_frames import FieldFrames


class Named(FieldFrames):
    """Frames that hold the name they were asked by."""

    def frame(self, name: str) -> pd.DataFrame:
        """Its name."""
        return pd.DataFrame({0: [name]})


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_asked_for_by_its_own_name(name: str) -> None:
    """`open` is the field "open", and so for all six; none is mixed up with another."""
    assert getattr(Named(), name).iloc[0, 0] == name
