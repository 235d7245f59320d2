"""assess_realism(): a section that is plain JSON, reproducible, honest about what it could not see."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import stresslab as sl
from stresslab.core.errors import InputError
from stresslab.generators.garch import Garch
from stresslab.realism import Realism, Trust, assess_realism
from stresslab.realism.assess import with_baselines
from tests.make.bars import make_bars
from tests.realism.cases import Walk, normal_bars

BARS = normal_bars(1400)


@pytest.fixture(scope="module")
def found() -> Realism:
    """A fitting generator, with a baseline that is three times too wide."""
    return with_baselines(assess_realism(BARS, Walk(), 20, jobs=2), BARS, {"wide": Walk(temperature=3.0)}, jobs=2)


def test_no_fault_is_found_in_a_fitting_generator(found: Realism) -> None:
    """Normal universes in a normal market: 24 origins before the end of the bars speak neither against nor for them."""
    assert found.label == "no fault found"
    assert found.trusted is None
    assert found.trust() == Trust(None, f"Whether these universes behave like the market is open. {found.reasons[0]}")
    assert (found.origins, found.horizon, found.universes) == (24, 20, 64)
    assert found.end == str(BARS.timestamps[-21])
    assert str(found).startswith("NO FAULT FOUND on 24 origins\n")


def test_the_section_is_json(found: Realism) -> None:
    """`to_dict` holds everything, without a NaN, and says that it was assessed."""
    section = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert section["assessed"] is True
    assert section["label"] == "no fault found"
    assert {"checks", "reasons", "notes", "calibration", "facts", "growth", "diagnostics", "baselines"} <= set(section)
    assert section["diagnostics"] == {"round_trip": Walk().round_trip(BARS)}


def test_a_better_generator_has_a_lower_crps(found: Realism) -> None:
    """The ratio to a generator that is three times too wide lies below 1 with its whole interval."""
    row = found.baselines["wide"]
    assert row["origins"] == 24
    assert all(row["crps_ratio"][f"return_{lead}"]["high"] < 1 for lead in (5, 20))


def test_the_same_seed_gives_the_same_section(found: Realism) -> None:
    """Any number of workers, whether or not baselines are compared; another seed gives another one."""
    again = assess_realism(BARS, Walk(), 20, jobs=1)
    assert again.calibration == found.calibration
    assert again.checks == found.checks
    assert assess_realism(BARS, Walk(), 20, jobs=1, seed=1).calibration != found.calibration


def test_nothing_after_the_bars_matters() -> None:
    """The assessment of a history is the same whatever followed it."""
    first, second = (assess_realism(bars[:700], Walk(), 20, origins=4, jobs=1) for bars in (BARS, BARS[:900]))
    assert first.to_dict() == second.to_dict()


def test_a_short_series_is_looked_at_more_often() -> None:
    """Where few origins are a horizon apart, the gate sees those between them, too; everything else stays as it is."""
    found = assess_realism(BARS[:600], Walk(), 40, jobs=1)
    assert found.origins == len(found.sampled) == len(found.calibration["return_40"]["ranks"]) == 12
    assert "The gate saw 12 more origins between these 12, which overlap: for the spread of outcomes " in found.notes[0]
    (coverage,) = (check for check in found.checks if check.name == "coverage_90")
    assert "after 24 origins" in coverage.reason
    exactly = assess_realism(BARS[:600], Walk(), 40, origins=12, jobs=1)
    assert exactly.calibration == found.calibration
    assert not exactly.notes


def test_python_offers_it() -> None:
    """`sl.assess_realism` and `sl.fit_temperature` are functions, also after the rest of the package is loaded."""
    assert sl.stress_test is not None
    assert sl.assess_realism is assess_realism
    assert callable(sl.fit_temperature)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"origins": 0}, "origins=0"),
        ({"universes": 1}, "universes=1"),
        ({"universes": 0}, "universes=0"),
        ({"horizon": 0}, "horizon=0"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], name: str) -> None:
    """In one line that names the value."""
    with pytest.raises(InputError, match=name):
        assess_realism(BARS, Walk(), **{"horizon": 20, **settings})


def test_refused_origins_are_told() -> None:
    """A generator that needs more history than the first origins have is judged at the others."""
    found = assess_realism(BARS[:700], Walk(least=300), 20, jobs=1)
    assert found.origins == 20
    assert found.notes == (
        "At 4 of 24 origins nothing could be sampled: 220 bars are too few for the walk, which needs 300; load more",
    )


def test_training_data_are_told() -> None:
    """Origins before the end of a generator's training are counted, since it may know what followed."""
    until = str(BARS.timestamps[-21].date())  # the last origin itself
    found = assess_realism(BARS, Walk(trained_until=until), 20, jobs=1)
    assert found.notes[0].startswith(f"23 of 24 origins lie before {until}")
    assert assess_realism(BARS, Walk(trained_until="1999-12-31"), 20, jobs=1).notes == ()


def test_what_untrusted_universes_mean_to_a_verdict() -> None:
    """Not trusted is False, or open with the reason when accepted; caution is open with its reason."""
    bad = assess_realism(BARS, Walk(temperature=0.5), 20, jobs=1)
    assert bad.trust() == Trust(False)
    accepted = bad.trust(accept_untrusted=True)
    assert accepted.behave is None
    assert accepted.caution == f"These universes are not trusted, and `accept_untrusted` was given. {bad.reasons[0]}"
    few = assess_realism(BARS, Walk(), 20, origins=5, jobs=1)
    assert few.trust() == few.trust(accept_untrusted=True)
    assert few.trust().caution == f"Whether these universes behave like the market is open. {few.reasons[0]}"
    assert any("Only 5 independent origins" in reason for reason in few.reasons)


def test_a_generator_that_lacks_autocorrelation_alone_may_serve_a_verdict() -> None:
    """Bars that turn back each day: GARCH has no such pattern, and all else of it fits."""
    found = assess_realism(normal_bars(2600, seed=5, turning=0.2), Garch(), 40, jobs=1)
    assert [check.name for check in found.checks if check.outcome == "failed"] == ["lag_one"]
    assert found.label == "not trusted"
    trust = found.trust()
    assert trust.behave is False
    assert trust.lacks_timing is not None
    assert trust.lacks_timing.endswith(found.reasons[0])
    assert found.trust(accept_untrusted=True).lacks_timing is None
    wide = replace(found, checks=(*found.checks, replace(found.checks[0], outcome="failed")))
    assert wide.trust() == Trust(False)


def test_a_market_without_volume_or_movement() -> None:
    """Flat prices and no volume give a section of plain JSON too."""
    bars = make_bars(400)
    frame = bars.frame.assign(open=50.0, high=50.0, low=50.0, close=50.0, volume=0.0, amount=0.0)
    found = assess_realism(sl.Bars.from_frame(frame), Walk(), 20, jobs=1)
    json.dumps(found.to_dict(), allow_nan=False)
    assert found.facts["volume_volatility"]["real"] is None
