"""The official Kronos code computes these numbers, and so do we; tensor names and shapes are the published ones.

Tokens and reconstructions are compared in `test_tokenizer`, logits and losses in `test_transformer`.
"""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch

from stresslab.generators.kronos.calendar_features import stamps
from stresslab.generators.kronos.generator import Kronos
from stresslab.generators.kronos.level_features import Levels
from stresslab.generators.kronos.token_sampling import TokenSampling
from stresslab.generators.kronos.tokenizer import KronosTokenizer, TokenizerConfig
from stresslab.generators.kronos.transformer import KronosTransformer, TransformerConfig
from tests.generators.kronos.cases import PARITY, Case, case

PUBLISHED = json.loads((PARITY / "state_dicts.json").read_text())


def test_context_is_normalised_alike(parity: Case) -> None:
    """Z-scores, clipping and calendar stamps of the context are the official ones, bit by bit."""
    features, _ = Levels().encode(parity.bars.values[: parity.context], parity.context)
    np.testing.assert_array_equal(features, parity.golden["x_normalised"])
    assert features.dtype == np.float32
    np.testing.assert_array_equal(stamps(parity.bars.timestamps), parity.golden["stamps"])


def test_filtered_probabilities_agree(parity: Case) -> None:
    """Temperature, top-k and top-p leave the official probabilities."""
    logits = torch.from_numpy(parity.golden["filter_logits"])
    filters = [name for name in parity.golden if name.startswith("filter_T")]
    assert len(filters) == 7
    for name in filters:
        temperature, top_k, top_p = re.fullmatch(r"filter_T([\d.]+)_k(\d+)_p([\d.]+)", name).groups()
        found = TokenSampling(float(temperature), int(top_k), float(top_p)).probabilities(logits)
        np.testing.assert_allclose(found, parity.golden[name], atol=1e-6, rtol=0, err_msg=name)
        np.testing.assert_array_equal(found == 0, parity.golden[name] == 0, err_msg=name)


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("within_context", "block"),
        ("within_context", "rolling"),
        ("rolling_window", "rolling"),
        ("longer_than_context", "rolling"),
        ("longer_than_context", "block"),  # a context longer than the window always rolls
    ],
)
def test_greedy_bars_agree(name: str, window: str) -> None:
    """The greedy roll-out gives the official bars, to float32's rounding of each field, in every universe."""
    parity = case(name)
    kronos = Kronos(str(parity.folder), top_k=1, anchor=False, repair=False, context=parity.context, window=window)
    made = kronos.sample(parity.bars[: parity.context], parity.horizon, 2)
    expected = parity.golden["greedy_bars"]  # an official volume may lie near zero, so that its own size says little
    assert (np.abs(made.values - expected) <= 3e-6 * np.abs(expected).max(axis=0)).all()
    assert made.timestamps.equals(parity.bars.timestamps[parity.context :])


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_checkpoints_fit(name: str) -> None:
    """A network of the published config has exactly the published tensors: names, shapes, types, parameters."""
    published = PUBLISHED[name]
    with torch.device("meta"):
        if "Tokenizer" in name:
            network: torch.nn.Module = KronosTokenizer(TokenizerConfig(**published["config"]))
        else:
            network = KronosTransformer(TransformerConfig(**published["config"]))
    found = {
        key: [str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
        for key, tensor in network.state_dict().items()
    }
    assert found == published["tensors"]
    assert sum(parameter.numel() for parameter in network.parameters()) == published["parameters"]
