"""The official Kronos code computes these numbers, and so do we; tensor names and shapes are the published ones."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch

from stresslab.generators.kronos.calendar_features import stamps
from stresslab.generators.kronos.features import Levels
from stresslab.generators.kronos.generator import Kronos
from stresslab.generators.kronos.token_sampling import TokenSampling
from stresslab.generators.kronos.tokenizer import KronosTokenizer, TokenizerConfig
from stresslab.generators.kronos.transformer import KronosTransformer, TransformerConfig, next_token_loss
from tests.generators.kronos.cases import CASES, PARITY, Case, case

TOLERANCE = {"atol": 1e-4, "rtol": 0}
PUBLISHED = json.loads((PARITY / "state_dicts.json").read_text())


@pytest.fixture(params=CASES)
def parity(request: pytest.FixtureRequest) -> Case:
    """Each case in turn."""
    return case(request.param)


def test_context_is_normalised_alike(parity: Case) -> None:
    """Z-scores, clipping and calendar stamps of the context are the official ones, bit by bit."""
    features, _ = Levels().encode(parity.bars.values[: parity.context], parity.context)
    np.testing.assert_array_equal(features, parity.golden["x_normalised"])
    assert features.dtype == np.float32
    np.testing.assert_array_equal(stamps(parity.bars.timestamps), parity.golden["stamps"])


def test_tokens_are_exact(parity: Case) -> None:
    """Coarse, fine and joint tokens of the context are the official ones, every one of them."""
    tokenizer, x = parity.tokenizer, parity.tensor("x_normalised")
    coarse, fine = tokenizer.encode(x, half=True)
    np.testing.assert_array_equal(coarse[0], parity.golden["s1"])
    np.testing.assert_array_equal(fine[0], parity.golden["s2"])
    joint = tokenizer.encode(x)
    np.testing.assert_array_equal(joint[0], parity.golden["index"])
    np.testing.assert_array_equal(tokenizer(x)[3][0], parity.golden["index"])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(tokenizer.split(joint), (coarse, fine), strict=True))


def test_reconstructions_agree(parity: Case) -> None:
    """Decoded halves, decoded joint ids, both outputs of the forward pass and the quantizer's loss agree."""
    tokenizer, golden = parity.tokenizer, parity.golden
    halves = tokenizer.decode((parity.tensor("s1"), parity.tensor("s2")), half=True)
    np.testing.assert_allclose(halves[0], golden["reconstruction"], **TOLERANCE)
    np.testing.assert_allclose(tokenizer.decode(parity.tensor("index"))[0], golden["reconstruction"], **TOLERANCE)
    (coarse, full), loss, _, _ = tokenizer(parity.tensor("x_normalised"))
    np.testing.assert_allclose(coarse[0], golden["recon_coarse"], **TOLERANCE)
    np.testing.assert_allclose(full[0], golden["recon_full"], **TOLERANCE)
    np.testing.assert_allclose(loss, golden["bsq_loss"], **TOLERANCE)


def test_logits_agree(parity: Case) -> None:
    """Coarse logits, hidden states, the likeliest coarse token and the fine logits given it agree."""
    model, golden = parity.model, parity.golden
    marks = parity.tensor("stamps")[:, : parity.context]
    logits, hidden = model.decode_s1(parity.tensor("s1"), parity.tensor("s2"), marks)
    np.testing.assert_allclose(logits[0], golden["s1_logits"], **TOLERANCE)
    np.testing.assert_allclose(hidden[0], golden["hidden"], **TOLERANCE)
    greedy = logits[:, -1].argmax(dim=-1)
    np.testing.assert_array_equal(greedy, golden["s1_greedy"])
    np.testing.assert_allclose(model.decode_s2(hidden, greedy)[0], golden["s2_logits_last"], **TOLERANCE)


def test_training_pass_agrees(parity: Case) -> None:
    """The teacher-forced pass in train mode has the official logits and losses."""
    model, golden = parity.model.train(), parity.golden
    coarse, fine, marks = parity.tensor("s1"), parity.tensor("s2"), parity.tensor("stamps")[:, : parity.context]
    logits = model(coarse[:, :-1], fine[:, :-1], marks[:, :-1], s1_targets=coarse[:, 1:])
    np.testing.assert_allclose(logits[0][0], golden["train_s1_logits"], **TOLERANCE)
    np.testing.assert_allclose(logits[1][0], golden["train_s2_logits"], **TOLERANCE)
    losses = [float(loss) for loss in next_token_loss(*logits, coarse[:, 1:], fine[:, 1:])]
    np.testing.assert_allclose(losses, golden["train_loss"], **TOLERANCE)


def test_eval_pass_is_what_inference_computes(parity: Case) -> None:
    """In eval mode every position's fine logits are those that `decode_s2` gives for the bars up to it."""
    model = parity.model
    coarse, fine, marks = parity.tensor("s1"), parity.tensor("s2"), parity.tensor("stamps")[:, : parity.context]
    _, logits = model(coarse[:, :-1], fine[:, :-1], marks[:, :-1], s1_targets=coarse[:, 1:])
    for last in (1, 7, parity.context - 1):
        _, hidden = model.decode_s1(coarse[:, :last], fine[:, :last], marks[:, :last])
        one = model.decode_s2(hidden, coarse[:, last])
        np.testing.assert_allclose(logits[0, last - 1], one[0], **TOLERANCE)


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
