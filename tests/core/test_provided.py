"""What stands above is found by name, and only once somebody said where."""

from __future__ import annotations

import pytest

from stresslab.core.provided import provide, provided


def test_a_name_is_found_when_it_is_asked_for() -> None:
    """The function is called at each question, not before; an unknown name says what is missing."""
    asked: list[int] = []
    provide("test", lambda: asked.append(1) or len(asked))
    assert asked == []
    assert [provided("test"), provided("test")] == [1, 2]
    with pytest.raises(RuntimeError, match="nothing says where 'no such thing' is found; import stresslab first"):
        provided("no such thing")
