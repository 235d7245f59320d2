"""The transformer: the official logits and losses, and no position that sees a later one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from stresslab.generators.kronos.transformer import (
    STAMP_SIZES,
    KronosTransformer,
    SinusoidEmbedding,
    StampEmbedding,
    next_token_loss,
)
from tests.generators.kronos.cases import TINY_MODEL, TOLERANCE, Case, tiny_networks
from tests.generators.kronos.reference import decode_s2


def test_logits_agree(parity: Case) -> None:
    """Coarse logits, hidden states, the likeliest coarse token and the fine logits given it agree."""
    model, golden = parity.model, parity.golden
    marks = parity.tensor("stamps")[:, : parity.context]
    logits, hidden = model.decode_s1(parity.tensor("s1"), parity.tensor("s2"), marks)
    np.testing.assert_allclose(logits[0], golden["s1_logits"], **TOLERANCE)
    np.testing.assert_allclose(hidden[0], golden["hidden"], **TOLERANCE)
    greedy = logits[:, -1].argmax(dim=-1)
    np.testing.assert_array_equal(greedy, golden["s1_greedy"])
    np.testing.assert_allclose(decode_s2(model, hidden, greedy)[0], golden["s2_logits_last"], **TOLERANCE)


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
        one = decode_s2(model, hidden, coarse[:, last])
        np.testing.assert_allclose(logits[0, last - 1], one[0], **TOLERANCE)


def made(seed: int, length: int = 10) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random coarse and fine tokens (2, L) and stamps (2, L, 5)."""
    source = torch.Generator().manual_seed(seed)
    coarse, fine = (torch.randint(2**4, (2, length), generator=source) for _ in range(2))
    marks = [torch.randint(size, (2, length), generator=source) for size in STAMP_SIZES.values()]
    return coarse, fine, torch.stack(marks, dim=-1)


@pytest.mark.parametrize("changed", ["coarse", "fine", "stamps"])
def test_no_position_sees_a_later_one(changed: str) -> None:
    """Other tokens or stamps from the seventh bar on leave the logits of the bars before it, coarse and fine."""
    model, _ = tiny_networks()
    first, second = (dict(zip(("coarse", "fine", "stamps"), made(0), strict=True)) for _ in range(2))
    second[changed] = second[changed].clone()
    second[changed][:, 6:] = (second[changed][:, 6:] + 1) % 7
    targets = made(1)[0]
    pair = [model(one["coarse"], one["fine"], one["stamps"], s1_targets=targets) for one in (first, second)]
    for ours, others in zip(*pair, strict=True):
        torch.testing.assert_close(ours[:, :6], others[:, :6])
        assert not torch.allclose(ours[:, 6:], others[:, 6:], atol=1e-4)


def test_the_fine_token_depends_on_the_coarse_one() -> None:
    """Another coarse target changes the fine logits of its own position and of no other, and no coarse logit."""
    model, _ = tiny_networks()
    coarse, fine, marks = made(0)
    targets = made(1)[0]
    others = targets.clone()
    others[:, 3] = (others[:, 3] + 1) % 2**4
    first, second = (model(coarse, fine, marks, s1_targets=one) for one in (targets, others))
    assert torch.equal(first[0], second[0])
    differs = (first[1] - second[1]).abs().amax(dim=(0, 2)) > 1e-6
    assert differs.nonzero().flatten().tolist() == [3]


def test_without_stamps_the_calendar_counts_for_nothing() -> None:
    """A model that is given no stamps computes what one computes whose stamp vectors are zero."""
    model, _ = tiny_networks()
    coarse, fine, marks = made(0)
    without, _ = model.decode_s1(coarse, fine)
    for table in model.time_emb.children():
        torch.nn.init.zeros_(table.weight)
    torch.testing.assert_close(model.decode_s1(coarse, fine, marks)[0], without)


def test_each_stamp_has_its_own_vector() -> None:
    """The embedding is the sum of the five vectors, in the order minute, hour, weekday, day, month."""
    embedding = StampEmbedding(16, learned=True)
    for table in embedding.children():
        torch.nn.init.normal_(table.weight, generator=torch.Generator().manual_seed(table.weight.shape[0]))
    stamps = torch.tensor([[[59, 23, 6, 31, 12]]])
    vectors = [table.weight[-1] for table in embedding.children()]
    torch.testing.assert_close(embedding(stamps)[0, 0], sum(vectors))


def test_sinusoids_are_those_of_vaswani() -> None:
    """Sine and cosine of the position over 10,000^(2j / width), side by side (Vaswani et al. 2017, section 3.5)."""
    found = SinusoidEmbedding(24, 8)(torch.tensor([[0, 5, 23]]))[0]
    for row, position in zip(found, (0, 5, 23), strict=True):
        for j in range(4):
            angle = position / 10_000 ** (2 * j / 8)
            assert float(row[2 * j]) == pytest.approx(math.sin(angle), abs=1e-5)
            assert float(row[2 * j + 1]) == pytest.approx(math.cos(angle), abs=1e-5)


def test_loss_by_hand() -> None:
    """Logits that all are equal cost the logarithm of the vocabulary; certainty of the right token costs nothing."""
    coarse, fine = torch.zeros(1, 2, 16), torch.full((1, 2, 8), -100.0)
    targets = torch.tensor([[3, 5]])
    fine.scatter_(2, targets[..., None], 100.0)
    both, first, second = next_token_loss(coarse, fine, targets, targets)
    assert float(first) == pytest.approx(math.log(16))
    assert float(second) == 0
    assert float(both) == pytest.approx(math.log(16) / 2)


def test_without_targets_the_models_own_tokens_are_drawn() -> None:
    """The coarse tokens that fine logits are conditioned on follow torch's generator, and so can be drawn again."""
    model, _ = tiny_networks()
    given = made(0)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        first = model(*given)[1]
        torch.manual_seed(3)
        again = model(*given)[1]
        torch.manual_seed(4)
        other = model(*given)[1]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_initial_weights() -> None:
    """Biases are zero, embeddings have variance 1/D, and matrices Glorot's variance 2 / (in + out)."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = KronosTransformer(replace(TINY_MODEL, d_model=64, s1_bits=10, s2_bits=10))
    assert model.embedding.emb_s1.weight.var().item() == pytest.approx(1 / 64, rel=0.05)
    assert model.head.proj_s1.weight.var().item() == pytest.approx(2 / (64 + 2**10), rel=0.05)
    assert not model.head.proj_s1.bias.any()
