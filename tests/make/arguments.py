"""Arguments of `stress_test` from flat names: terms, studies and compute are put together from what belongs to each."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from stresslab.backtest import Terms
from stresslab.runs.plan import Compute, Studies


def arguments(**flat: Any) -> dict[str, Any]:
    """The same settings as `stress_test` takes them; `costs` stays an argument of its own."""
    rest = dict(flat)
    for name, kind in (("terms", Terms), ("studies", Studies), ("compute", Compute)):
        names = {one.name for one in fields(kind)} - {"costs"}
        given = {key: rest.pop(key) for key in sorted(names & set(rest))}
        if given:
            rest[name] = kind(**given)
    return rest
