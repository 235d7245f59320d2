"""Realism: do a generator's universes behave like this market? Evidence from rolling origins, and the gate.

The formulas are in `metrics.forecast_scores` and `metrics.stylized_facts`; `analysis.verdict` decides what an untrusted
generator does to a verdict.
"""

from stresslab.realism.assess import Realism, Trust, assess, assess_realism
from stresslab.realism.checks import Check
from stresslab.realism.fit_temperature import TemperatureFit, fit_temperature
from stresslab.realism.rolling_origins import ASSESSED, ORIGINS, UNIVERSES, Origin

__all__ = [
    "ASSESSED",
    "ORIGINS",
    "UNIVERSES",
    "Check",
    "Origin",
    "Realism",
    "TemperatureFit",
    "Trust",
    "assess",
    "assess_realism",
    "fit_temperature",
]
