"""The typed content of a dossier."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from stresslab.analysis.result_dossier import Finding, Signature


def test_severities_are_three() -> None:
    """Another word is refused."""
    assert Finding(severity="high", about="one", text="two").severity == "high"
    with pytest.raises(ValidationError):
        Finding(severity="grave", about="one", text="two")  # type: ignore[arg-type]
    assert Signature(role="Owner").name == ""
