"""What a generator shows about itself: its round trip, and what its settings cut off."""

from __future__ import annotations

import pytest

from stresslab.core.errors import DataError
from stresslab.data.bars import Bars
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.realism import assess_realism
from stresslab.realism.diagnostics import altered, cuts, diagnose
from tests.realism.cases import Walk, normal_bars

BARS = normal_bars(1400)


def test_cuts_are_measured_and_told() -> None:
    """Half the temperature halves volatility and tail; a nucleus of normal draws leaves what its formula says."""
    found = assess_realism(BARS, Walk(temperature=0.5), 20, jobs=1)
    cut = found.diagnostics["cuts"]
    assert cut["settings"] == {"temperature": 0.5}
    assert cut["volatility_ratio"]["value"] == pytest.approx(0.5, abs=1e-6)
    assert cut["tail_ratio"]["value"] == pytest.approx(0.5, abs=0.02)
    assert found.notes[0].startswith("temperature=0.5: bars are 0.50 times as volatile, and the 1% quantile")
    nucleus = cuts(BARS, Walk(top_p=0.9), [400, 800], 1)
    assert nucleus is not None
    assert nucleus["volatility_ratio"]["value"] == pytest.approx(0.79, abs=0.03)  # a normal cut at +-1.645
    assert nucleus["tail_ratio"]["low"] < 1.61 / 2.33 < nucleus["tail_ratio"]["high"]
    assert cuts(BARS, Walk(top_p=0.9), [], 1) is None


def test_what_was_altered_is_what_differs_from_the_model_as_learned() -> None:
    """Temperature 1 without a cut is the model itself."""
    assert altered(Walk()) == {}
    assert altered(Walk(temperature=0.9, top_k=5)) == {"temperature": 0.9, "top_k": 5}


def test_only_what_a_generator_offers_is_diagnosed() -> None:
    """A round trip where there are tokens, cuts where there are settings that cut; of the bootstrap neither."""
    assert diagnose(BARS, StationaryBootstrap(), [400], 5) == {}
    assert diagnose(BARS, Walk(), [400], 5) == {"round_trip": Walk().round_trip(BARS)}


def test_too_few_bars_have_no_round_trip() -> None:
    """A generator that needs more of them is assessed without it."""

    class Choosy(Walk):
        def round_trip(self, bars: Bars) -> dict[str, float | None]:
            raise DataError("too few bars")

    assert diagnose(BARS, Choosy(), [400], 5) == {}
