"""assess_realism(): a section that is plain JSON, reproducible, honest about what it could not see."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import stresslab as sl
from stresslab.core.errors import InputError
from stresslab.metrics import stylized_facts
from stresslab.realism import Realism, assess_realism
from stresslab.realism.assess import with_baselines
from stresslab.realism.calibration import LEVELS, calibration, growth_by_displacement, leads, quantities, stylised_facts
from stresslab.realism.diagnostics import cuts
from tests.make.bars import make_bars
from tests.realism.cases import Walk, normal_bars, simulate

BARS = normal_bars(1400)


@pytest.fixture(scope="module")
def found() -> Realism:
    """A fitting generator, with a baseline that is three times too wide."""
    return with_baselines(assess_realism(BARS, Walk(), 20, jobs=2), BARS, {"wide": Walk(temperature=3.0)}, jobs=2)


def test_no_fault_is_found_in_a_fitting_generator(found: Realism) -> None:
    """Normal universes in a normal market: 24 origins before the end of the bars speak neither against nor for them."""
    assert found.label == "no fault found"
    assert found.trusted is None
    assert found.trust() == (None, found.reasons[0])
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
    assert bad.trust() == (False, None)
    trusted, caution = bad.trust(accept_untrusted=True)
    assert trusted is None
    assert caution == f"they are not trusted, and `accept_untrusted` was given. {bad.reasons[0]}"
    few = assess_realism(BARS, Walk(), 20, origins=5, jobs=1)
    assert few.trust() == few.trust(accept_untrusted=True) == (None, few.reasons[0])
    assert any("Only 5 independent origins" in reason for reason in few.reasons)


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


def test_a_market_without_volume_or_movement() -> None:
    """Flat prices and no volume give a section of plain JSON too."""
    bars = make_bars(400)
    frame = bars.frame.assign(open=50.0, high=50.0, low=50.0, close=50.0, volume=0.0, amount=0.0)
    found = assess_realism(sl.Bars.from_frame(frame), Walk(), 20, jobs=1)
    json.dumps(found.to_dict(), allow_nan=False)
    assert found.facts["volume_volatility"]["real"] is None


def test_calibration_of_true_universes() -> None:
    """Over many origins intervals cover what they should, drawdowns and volatility included."""
    origins = [origin for seed in range(12) for origin in simulate(None, seed, 20)]
    table = calibration(origins)
    assert set(table) == {"return_1", "return_5", "return_20", "volatility", "max_drawdown", "energy_score"}
    for name in quantities(origins[0]):
        for level in LEVELS[:3]:
            assert table[name]["coverage"][str(level)]["value"] == pytest.approx(level, abs=0.06)
        assert table[name]["coverage"]["0.98"] is None  # 64 universes cannot tell
        sides = table[name]["coverage_calm"]["value"], table[name]["coverage_turbulent"]["value"]
        assert sides == pytest.approx((0.9, 0.9), abs=0.08)
    assert table["return_20"]["value_at_risk"]["0.01"] is None
    assert table["return_20"]["value_at_risk"]["0.05"]["kupiec"] > 0.01


def test_leads() -> None:
    """Returns are compared at the usual leads before the horizon, and at the horizon."""
    assert leads(1) == [1]
    assert leads(60) == [1, 5, 20, 60]
    assert leads(200) == [1, 5, 20, 60, 120, 200]


def test_facts_stand_side_by_side() -> None:
    """Universes and reality by the same formula, reality with an interval around it; lags up to 50."""
    origins = simulate(None, 1, 60)
    facts = stylised_facts(origins)
    real = np.concatenate([origin.real_returns for origin in origins])
    for name, fact in stylized_facts.FACTS.items():
        assert facts[name]["real"] == fact(real)
        assert facts[name]["real_low"] <= facts[name]["real"] <= facts[name]["real_high"]
    assert facts["autocorrelation_of_absolute_returns"]["lags"] == list(range(1, 51))
    assert facts["volume_volatility"] == {"universes": None, "real": None, "real_low": None, "real_high": None}
    assert stylised_facts(origins[:1])["kurtosis"]["real_low"] is None


def test_growth_shows_a_reversion() -> None:
    """Universes that are led back to the past's mean grow after low prices and shrink after high ones."""
    origins = [origin for seed in range(4) for origin in simulate("all the way back to the mean", seed, 60)]
    low, near, high = growth_by_displacement(origins)
    assert low["universes"] > 1.02
    assert high["universes"] < 0.98
    assert low["origins"] + near["origins"] + high["origins"] == 96
