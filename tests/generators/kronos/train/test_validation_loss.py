"""Scores against hand-computed entropies, constructed models with a known answer, and intervals that cover."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from stresslab.data.bars import Bars
from stresslab.generators.kronos.return_features import Returns
from stresslab.generators.kronos.tokenizer import KronosTokenizer
from stresslab.generators.kronos.train.loop import Schedule, train_model, train_tokenizer
from stresslab.generators.kronos.train.validation_loss import (
    Tokens,
    _clustered,
    encode,
    evaluate,
    token_losses,
    unigram_losses,
)
from stresslab.generators.kronos.train.windows import Batch, Corpus
from stresslab.generators.kronos.transformer import KronosTransformer
from tests.generators.kronos.cases import tiny_networks
from tests.generators.kronos.reference import decode_s2
from tests.make.bars import make_bars

SCORED = 8


def walks(first: int, count: int) -> Batch:
    """Windows of random walks."""
    return Corpus([make_bars(160, seed=first + seed) for seed in range(count)], Returns(), 32).spread(4)


TRAINING, HELD_OUT = walks(0, 6), walks(50, 10)


def tokens(*rows: list[int]) -> torch.Tensor:
    """Rows of tokens (B, L)."""
    return torch.tensor(rows)


def test_unigram_losses_by_hand() -> None:
    """Each count plus one, over the sum: fine tokens by themselves where pairs are rare, given the coarse otherwise."""
    seen = (tokens([0, 0, 0, 1]), tokens([0, 0, 1, 1]))
    unseen = (tokens([0, 1]), tokens([0, 1]))
    coarse = -np.log([4 / 6, 2 / 6])
    alone, given = -np.log([3 / 6, 3 / 6]), -np.log([3 / 5, 2 / 3])
    assert given.mean() < alone.mean()
    np.testing.assert_allclose(unigram_losses(seen, unseen, 1, 1)[0], coarse + given)
    unseen = (tokens([0, 0]), tokens([1, 1]))
    alone, given = -np.log([3 / 6, 3 / 6]), -np.log([2 / 5, 2 / 5])
    assert alone.mean() < given.mean()
    np.testing.assert_allclose(unigram_losses(seen, unseen, 1, 1)[0], -np.log([4 / 6, 4 / 6]) + alone)


def test_unigram_losses_tend_to_the_entropy() -> None:
    """On many tokens of a known distribution the mean loss is its entropy, here of fine given coarse."""
    rng = np.random.default_rng(0)
    coarse = rng.choice(4, p=[0.5, 0.25, 0.125, 0.125], size=(2, 200_000))
    fine = np.where(rng.random(coarse.shape) < 0.5, coarse, 0)
    seen, unseen = ((torch.from_numpy(coarse[[row]]), torch.from_numpy(fine[[row]])) for row in (0, 1))
    entropy = np.log(2) * (1.75 + 0.5)  # bits of the coarse token; one bit of the fine one unless the coarse is 0
    assert unigram_losses(seen, unseen, 2, 2).mean() == pytest.approx(entropy, abs=0.01)


def with_unigram_logits(model: KronosTransformer, seen: Tokens) -> KronosTransformer:
    """The model with heads that say the training frequencies whatever came before."""
    for head, ids in zip((model.head.proj_s1, model.head.proj_s2), seen, strict=True):
        counts = torch.bincount(ids.flatten(), minlength=head.out_features) + 1.0
        head.weight.data.zero_()
        head.bias.data.copy_((counts / counts.sum()).log())
    return model


def with_one_fine_token(tokenizer: KronosTokenizer) -> KronosTokenizer:
    """The tokenizer with fine bits that are always set, so that counting them by themselves is better than by pairs."""
    tokenizer.quant_embed.weight.data[tokenizer.s1_bits :] = 0.0
    tokenizer.quant_embed.bias.data[tokenizer.s1_bits :] = 1.0
    return tokenizer


def test_a_model_that_is_the_unigram_differs_by_nothing() -> None:
    """A model whose logits are the training frequencies has the unigram's loss, and does not mind a shuffled past."""
    model, tokenizer = tiny_networks()
    with_unigram_logits(model, encode(with_one_fine_token(tokenizer), TRAINING))
    found = evaluate(model, tokenizer, TRAINING, HELD_OUT, scored=SCORED)
    assert found.unigram > 1.0
    assert found.loss == pytest.approx(found.unigram, abs=1e-5)
    for difference in (found.below_unigram, found.above_when_shuffled):
        assert max(abs(difference.value), abs(difference.low), abs(difference.high)) < 1e-5
    assert found.loss == pytest.approx(found.coarse + found.fine)
    assert (found.windows, found.series) == (len(HELD_OUT.series), 10)
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()


def test_a_model_worse_than_the_unigram_is_seen_as_such() -> None:
    """A model that is sure of the rarest token loses to the unigram, with an interval below zero."""
    model, tokenizer = tiny_networks()
    seen = encode(tokenizer, TRAINING)
    with_unigram_logits(model, seen).head.proj_s1.bias.data.neg_()
    found = evaluate(model, tokenizer, TRAINING, HELD_OUT, scored=SCORED)
    assert found.below_unigram.high < 0
    assert found.below_unigram.value == pytest.approx(found.unigram - found.loss)


def test_token_losses_are_those_of_one_bar_at_a_time() -> None:
    """The loss of a bar is -log of what inference, given the bars before it and its coarse token, says of it."""
    model, tokenizer = tiny_networks()
    coarse, fine = encode(tokenizer, HELD_OUT)
    losses = token_losses(model, (coarse, fine), HELD_OUT.stamps, SCORED)
    marks = torch.from_numpy(HELD_OUT.stamps)
    with torch.no_grad():
        for back in range(1, SCORED + 1):
            now = coarse.shape[1] - back
            logits, hidden = model.decode_s1(coarse[:, :now], fine[:, :now], marks[:, :now])
            first = -logits[:, -1].log_softmax(dim=-1).gather(1, coarse[:, [now]])[:, 0]
            second = -decode_s2(model, hidden, coarse[:, now]).log_softmax(dim=-1).gather(1, fine[:, [now]])[:, 0]
            np.testing.assert_allclose(losses[0][:, -back], first, atol=1e-4)
            np.testing.assert_allclose(losses[1][:, -back], second, atol=1e-4)


def test_shuffling_changes_the_shuffled_loss_alone() -> None:
    """The seed of the shuffling changes the shuffled loss alone, and the same seed gives the same evaluation."""
    model, tokenizer = tiny_networks()
    first, second = (evaluate(model, tokenizer, TRAINING, HELD_OUT, scored=SCORED, seed=seed) for seed in (0, 1))
    assert (first.loss, first.unigram) == (second.loss, second.unigram)
    assert first.shuffled != second.shuffled
    assert first == evaluate(model, tokenizer, TRAINING, HELD_OUT, scored=SCORED, seed=0)


def test_intervals_cover_when_series_differ() -> None:
    """Windows of one series share an effect: 95% intervals over 30 series cover the true mean 88% to 98% of times."""
    rng = np.random.default_rng(0)
    series = np.repeat(np.arange(30), 5)
    covered = 0
    for _ in range(400):
        differences = 0.3 + rng.normal(size=30)[series] + 0.5 * rng.normal(size=150)
        found = _clustered(differences, series, rng)
        assert found.low <= found.value <= found.high
        covered += found.low <= 0.3 <= found.high
    assert 0.88 < covered / 400 < 0.98


def cycling(symbol: int, count: int) -> Bars:
    """Bars whose returns repeat every five: +1%, +2%, -3%, +3%, -3%; the phase is the symbol's own."""
    returns = np.tile([0.01, 0.02, -0.03, 0.03, -0.03], count // 5 + 2)[symbol % 5 :][:count]
    closes = 100 * np.exp(np.cumsum(returns))
    opens = np.concatenate([[100.0], closes[:-1]])
    frame = pd.DataFrame(
        {
            "open": opens,
            "high": np.maximum(opens, closes) * 1.001,
            "low": np.minimum(opens, closes) * 0.999,
            "close": closes,
            "volume": 1000.0,
        },
        index=pd.date_range("2020-01-01", periods=count, freq="h") + pd.Timedelta(hours=7 * symbol),
    )
    return Bars.from_frame(frame, symbol=f"C{symbol:02}")


@pytest.mark.slow
def test_a_trained_model_knows_a_cycle(tmp_path: Path) -> None:
    """On bars that repeat, a model trained on some symbols beats the unigram on others, and needs the past in order."""
    model, tokenizer = tiny_networks()
    training = Corpus([cycling(symbol, 400) for symbol in range(10)], Returns(), 32)
    held_out = Corpus([cycling(symbol, 400) for symbol in range(10, 20)], Returns(), 32).spread(4)
    schedule = Schedule(steps=150, batch=16, learning_rate=1e-2)
    train_tokenizer(tokenizer, training, schedule, tmp_path / "tokenizer")
    train_model(model, tokenizer, training, Schedule(steps=400, batch=16, learning_rate=1e-2), tmp_path / "model")
    found = evaluate(model, tokenizer, training.spread(4), held_out, scored=2)
    assert found.loss < 0.5 * found.unigram
    assert found.below_unigram.low > 0
    assert found.above_when_shuffled.low > 0
