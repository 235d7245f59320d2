"""Fixtures of the training tests."""

from __future__ import annotations

import pytest

from stresslab.generators.kronos.checkpoint import Checkpoint, load_checkpoint, save_model, save_tokenizer
from stresslab.generators.kronos.tokenizer import KronosTokenizer
from stresslab.generators.kronos.transformer import KronosTransformer
from tests.generators.kronos.cases import TINY_MODEL, TINY_TOKENIZER, save_tiny


@pytest.fixture(scope="module", params=["returns", "levels"])
def start(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A tiny checkpoint of our own, or of the published format, with a window of 64 bars."""
    folder = tmp_path_factory.mktemp("start")
    if request.param == "returns":
        save_tiny(folder, max_context=64)
    else:
        save_model(KronosTransformer(TINY_MODEL), folder / "model", max_context=64, trained_until="2099-01-01")
        save_tokenizer(KronosTokenizer(TINY_TOKENIZER), folder / "tokenizer")
    return load_checkpoint(str(folder))
