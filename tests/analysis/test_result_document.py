"""The whole of `result.json` as a model: round trip, version, and what is refused."""

from __future__ import annotations

import json

import pytest

from stresslab.analysis.result_document import FORMAT_VERSION, ResultDocument, check_version
from stresslab.core.errors import InputError
from tests.make.results import make_realism, make_result


def test_round_trip() -> None:
    """What is written is read back as the same document."""
    document = make_result("follow", "idle", universes=30, horizon=10, realism=make_realism(count=3)).document()
    facts = json.loads(json.dumps(document.to_dict(), allow_nan=False))
    assert ResultDocument.read(facts) == document
    assert facts["format_version"] == FORMAT_VERSION == 4
    assert facts["realism"]["assessed"] is True


def test_another_version_is_refused() -> None:
    """The message names the version and what is read."""
    with pytest.raises(InputError, match="here has format_version 3, this stresslab reads 4; run it again"):
        check_version({"format_version": 3}, "here")
    with pytest.raises(InputError, match="None"):
        check_version([], "here")


def test_a_damaged_document_is_refused() -> None:
    """A missing part, or a run without strategies, is an error."""
    facts = make_result("follow", universes=30, horizon=10).to_dict()
    with pytest.raises(ValueError, match="'strategies': "):
        ResultDocument.read(facts | {"strategies": []})
    with pytest.raises(ValueError, match="'run': Field required"):
        ResultDocument.read({key: facts[key] for key in facts if key != "run"})
