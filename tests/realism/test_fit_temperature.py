"""The temperature is chosen by what followed at past origins."""

from __future__ import annotations

import json

import pytest

import stresslab as sl
from stresslab.core.errors import InputError
from stresslab.realism.fit_temperature import at_temperatures, choose, fit_temperature
from tests.realism.cases import Walk, normal_bars, simulate

BARS = normal_bars(2600, seed=3)
GRID = (0.5, 0.7, 1.0, 1.4, 2.0)


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.4])
def test_the_right_temperature_is_found(scale: float) -> None:
    """Universes that are too narrow or too wide by a factor get the temperature that undoes it, or its neighbour."""

    class Scaled(Walk):
        def sample(self, *arguments, **more):
            return Walk(temperature=self.temperature * scale).sample(*arguments, **more)

    fit = fit_temperature(BARS, at_temperatures(Scaled(), GRID), 20, origins=100, jobs=1)
    assert fit.temperature == min(GRID, key=lambda t: abs(t * scale - 1))
    assert fit.origins == 100
    assert [trial.temperature for trial in fit.trials] == list(GRID)
    assert min(trial.worse for trial in fit.trials) == 0
    json.dumps(fit.to_dict(), allow_nan=False)


def test_coverage_decides_among_equals() -> None:
    """Where chance cannot tell the CRPS apart, the best covered is chosen, and the reason says so."""
    origins = simulate(None, 0, 20)
    fit = choose((1.0, 1.05), [origins, origins])
    assert fit.temperature == 1.0
    assert fit.reason == "the CRPS of T = 1, 1.05 differ by no more than chance; T = 1 covers best."


def test_a_generator_without_a_temperature_is_refused() -> None:
    """So are too few origins, each in one line with a remedy."""
    with pytest.raises(InputError, match="bootstrap has no temperature to fit; use kronos"):
        at_temperatures(sl.StationaryBootstrap())
    with pytest.raises(InputError, match="at 4 origins, fewer than 12; give more bars"):
        fit_temperature(BARS, at_temperatures(Walk()), 20, origins=4)
    with pytest.raises(InputError, match="nothing could be sampled"):
        fit_temperature(BARS, at_temperatures(Walk(least=10_000)), 20)
