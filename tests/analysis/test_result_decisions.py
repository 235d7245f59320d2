"""Typed results of sizes."""

from __future__ import annotations

import json

from stresslab.analysis.limit_rules import Limit
from stresslab.analysis.result_decisions import SizeStudy
from stresslab.analysis.sides import sides
from stresslab.analysis.sizes import SizePlan, size_study
from tests.make.cases import timed_case


def test_sizes_survive_json() -> None:
    """What is written is read again, infinities as nothing."""
    case, edge, _ = timed_case()
    plan = SizePlan(Limit.parse("P(drawdown > 5%) <= 20%"), (1.0, 9.0))
    study = size_study(sides(case, edge.posterior), edge.posterior, plan, 0)
    again = SizeStudy.of(json.loads(json.dumps(study.to_dict(), allow_nan=False)))
    assert again == study
    assert study.credit.max_leverage is None
