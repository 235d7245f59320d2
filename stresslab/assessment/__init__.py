"""Realism: do a generator's universes behave like this market? Evidence from rolling origins, and the gate.

The formulas are `statistics.scores`'s and `statistics.stylised`'s; what an untrusted generator does to a verdict is
`verdict`'s business.
"""

from stresslab.assessment.assess import Realism, assess, realism
from stresslab.assessment.gate import Check
from stresslab.assessment.origins import ORIGINS, UNIVERSES, Origin
from stresslab.assessment.temperature import TemperatureFit, fit_temperature

__all__ = [
    "ORIGINS",
    "UNIVERSES",
    "Check",
    "Origin",
    "Realism",
    "TemperatureFit",
    "assess",
    "fit_temperature",
    "realism",
]
