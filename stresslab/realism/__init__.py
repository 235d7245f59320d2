"""Realism: do a generator's universes behave like this market? Evidence from rolling origins, and the gate.

The formulas are `statistics.scores`'s and `statistics.stylised`'s; what an untrusted generator does to a verdict is
`verdict`'s business.
"""

from stresslab.realism.assess import Realism, assess, assess_realism
from stresslab.realism.fit_temperature import TemperatureFit, fit_temperature
from stresslab.realism.questions import Check
from stresslab.realism.rolling_origins import ASSESSED, ORIGINS, UNIVERSES, Origin

__all__ = [
    "ASSESSED",
    "ORIGINS",
    "UNIVERSES",
    "Check",
    "Origin",
    "Realism",
    "TemperatureFit",
    "assess",
    "assess_realism",
    "fit_temperature",
]
