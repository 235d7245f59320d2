"""Facts that a typed model must not lose."""

from __future__ import annotations

import json
from typing import Any

from stresslab.analysis.result_models import Model


def assert_kept(model: type[Model], facts: Any) -> None:
    """The model holds every key and number of the facts, and adds none."""
    assert json.loads(json.dumps(model.of(facts).to_dict())) == json.loads(json.dumps(facts))
