"""The realism section as a model: nothing of the assessment is lost, and its parts are found by kind."""

from __future__ import annotations

import json

from stresslab.analysis.result_realism import RealismSection
from tests.make.results import make_realism


def test_parts_are_found_by_kind() -> None:
    """Quantities, the score of paths, facts and lags stand apart."""
    found = make_realism()
    assert "return_60" in found.quantities
    assert "energy_score" not in found.quantities
    assert found.energy_score is not None
    assert "kurtosis" in found.stylized_facts
    lags = found.clustering_by_lag
    assert lags is not None
    assert lags.lags[0] == 1
    assert found.diagnostics.to_dict() == {}
    assert RealismSection.of(json.loads(json.dumps(found.to_dict()))) == found
