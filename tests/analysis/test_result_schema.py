"""The published schema takes what is written and refuses what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_schema import SCHEMA
from tests.make.results import make_realism, make_result


@pytest.fixture(scope="module")
def single() -> StressResult:
    """One strategy with a real outcome."""
    return make_result("follow", universes=60)


@pytest.mark.parametrize(
    "made",
    [
        {"names": ("follow",)},
        {"names": ("hold", "idle"), "drift": 8e-4},  # many measures undefined
        {"names": ("churn",), "realised": False},
        {"names": ("follow",), "realism": make_realism(width=0.6, support=0.01)},
    ],
    ids=["single", "several", "forward", "assessed"],
)
def test_json_fits_its_schema(made: dict[str, Any]) -> None:
    """What is written fits the published schema, whatever a run was asked for."""
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator
    validator.check_schema(SCHEMA)
    names, changes = made["names"], {name: value for name, value in made.items() if name != "names"}
    validator(SCHEMA).validate(make_result(*names, universes=60, **changes).to_dict())


def test_objects_may_hold_more_than_is_said(single: StressResult) -> None:
    """A later program may add a name: readers pass over it."""
    jsonschema = pytest.importorskip("jsonschema")
    content = json.loads(json.dumps(single.to_dict()))
    content["strategies"][0]["verdict"]["novel"] = content["novel"] = {"what": 1}
    jsonschema.Draft202012Validator(SCHEMA).validate(content)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("strategies.0.verdict.label", "great"),
        ("strategies.0.universes.probability_of_loss.value", 1.2),
        ("strategies.0.universes.measures.sharpe", None),
        ("strategies.0.universes.intervals", {"total_return.mean": [1]}),
        ("run.data.digest", "abc"),
        ("strategies.0.edge", {"label": "perhaps", "reasons": ["so"], "checks": []}),
        ("strategies.0.studies", {"walk_forward": {"origins": []}}),
        ("strategies.0.studies", {"shocks": [{"name": "a", "label": "b"}]}),
        ("format_version", 2),
        ("strategies", []),
        ("realism", {"assessed": True}),
    ],
)
def test_the_schema_refuses_what_is_wrong(single: StressResult, path: str, value: Any) -> None:
    """A label, a share, a digest or a version that cannot be is refused."""
    jsonschema = pytest.importorskip("jsonschema")
    content = json.loads(json.dumps(single.to_dict()))
    inner: Any = content
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        inner = inner[part]
    inner[last] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(content)
