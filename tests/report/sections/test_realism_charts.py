"""Pictures of realism: ranks of what followed, and clustering beside the market's."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.analysis.result_realism import RealismSection
from stresslab.report.sections.realism_charts import clustering, clustering_sentence, realism_charts
from tests.make.results import make_realism


def test_ranks_need_origins() -> None:
    """With many of them both pictures are there, with few the one of clustering alone."""
    assert [chart.key for chart in realism_charts(make_realism())] == ["realism-ranks", "realism-clustering"]
    assert [chart.key for chart in realism_charts(make_realism(count=5))] == ["realism-clustering"]


@pytest.mark.parametrize(("universes", "place"), [(0.05, "below"), (0.2, "within"), (0.5, "above")])
def test_clustering_is_held_against_chance(universes: float, place: str) -> None:
    """Where the universes lie beside the market's interval, and what that means on either side."""
    content = make_realism().to_dict()
    content["facts"]["clustering"] = {"universes": universes, "real": 0.2, "real_low": 0.1, "real_high": 0.3}
    text = clustering_sentence(RealismSection.of(content))
    assert f", {place} its 95% interval of chance" in text
    assert ("less clustering" in text, "more clustering" in text) == (place == "below", place == "above")


def test_clustering_is_drawn_by_lag() -> None:
    """As many lags of the universes as of the market, all of them known."""
    found = clustering(make_realism())
    assert found is not None
    assert len(found.lags) == len(found.universes) == len(found.real) > 10
    assert np.isfinite([found.universes, found.real]).all()
