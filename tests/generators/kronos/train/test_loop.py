"""Training lowers the loss, goes on bit by bit where it stopped, and leaves a complete log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from stresslab.core.errors import CheckpointError, InputError
from stresslab.generators.kronos.return_features import Returns
from stresslab.generators.kronos.train.loop import (
    Progress,
    Schedule,
    model_losses,
    read_log,
    tokenizer_losses,
    train_model,
    train_tokenizer,
    variance_gain,
)
from stresslab.generators.kronos.train.windows import Corpus
from stresslab.generators.kronos.transformer import KronosTransformer
from tests.generators.kronos.cases import tiny_networks
from tests.make.bars import make_bars

CORPUS = Corpus([make_bars(150, seed=seed) for seed in range(3)], Returns(), 24)
SCHEDULE = Schedule(steps=10, batch=4, learning_rate=3e-3, save_every=3)
Train = Callable[..., None]


def stage(name: str, seed: int = 0) -> tuple[nn.Module, Train]:
    """A network with random weights, and the training of it."""
    model, tokenizer = tiny_networks(seed)
    if name == "tokenizer":
        return tokenizer, partial(train_tokenizer, tokenizer)
    return model, partial(train_model, model, tiny_networks(0)[1])


def logged(folder: Path) -> np.ndarray:
    """Steps and losses of the log (steps, 2)."""
    return np.loadtxt(folder / "loss.csv", delimiter=",", skiprows=1, usecols=(0, 1), ndmin=2)


@pytest.mark.parametrize("name", ["tokenizer", "model"])
def test_a_few_steps_lower_the_loss(name: str, tmp_path: Path) -> None:
    """The loss of the last steps lies well below that of the first ones; the network is left in eval mode."""
    network, train = stage(name)
    seen: list[Progress] = []
    train(CORPUS, replace(SCHEDULE, steps=40, batch=8, learning_rate=1e-2), tmp_path, seen.append)
    losses = np.array([progress.loss for progress in seen])
    assert losses[-5:].mean() < losses[:5].mean() - 0.1
    assert not network.training
    assert [progress.step for progress in seen] == list(range(1, 41))
    np.testing.assert_allclose(logged(tmp_path), np.column_stack([np.arange(1, 41), losses]), atol=1e-6)


@pytest.mark.parametrize("name", ["tokenizer", "model"])
@pytest.mark.parametrize("stop", [2, 3, 8])  # before the first saved state, on one, and after two
def test_interrupted_training_ends_bit_by_bit_the_same(name: str, stop: int, tmp_path: Path) -> None:
    """Stopped after any step and resumed, training ends at the same weights and log as one that ran through."""
    whole, train = stage(name)
    train(CORPUS, SCHEDULE, tmp_path / "whole")

    def interrupt(progress: Progress) -> None:
        if progress.step == stop:
            raise KeyboardInterrupt

    stopped, train = stage(name)
    with pytest.raises(KeyboardInterrupt):
        train(CORPUS, SCHEDULE, tmp_path / "stopped", interrupt)
    resumed, train = stage(name)
    torch.manual_seed(99)  # the global state is not what makes it the same
    train(CORPUS, SCHEDULE, tmp_path / "stopped")
    for key, tensor in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[key], tensor), key
    assert not all(torch.equal(a, b) for a, b in zip(whole.parameters(), stopped.parameters(), strict=True))
    assert (tmp_path / "stopped" / "loss.csv").read_text() == (tmp_path / "whole" / "loss.csv").read_text()


def test_finished_training_is_not_repeated(tmp_path: Path) -> None:
    """Training again in the folder of a finished one loads its weights and takes no step."""
    first, train = stage("model")
    train(CORPUS, SCHEDULE, tmp_path)
    again, train = stage("model", seed=5)
    seen: list[Progress] = []
    train(CORPUS, SCHEDULE, tmp_path, seen.append)
    assert seen == []
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize("change", [{"steps": 11}, {"learning_rate": 1e-4}, {"seed": 1}, {"batch": 5}])
def test_another_schedule_is_refused(change: dict[str, float], tmp_path: Path) -> None:
    """A saved state is not gone on from under other settings, which would be neither training; one line says so."""
    stage("model")[1](CORPUS, SCHEDULE, tmp_path)
    with pytest.raises(CheckpointError, match="another schedule") as caught:
        stage("model")[1](CORPUS, replace(SCHEDULE, **change), tmp_path)
    assert "\n" not in str(caught.value)
    assert "`out`" in str(caught.value)


@pytest.mark.parametrize("damage", [b"", b"\x00" * 50])
def test_a_damaged_state_is_refused(damage: bytes, tmp_path: Path) -> None:
    """A saved state that is no longer a safetensors file is refused in one line."""
    stage("tokenizer")[1](CORPUS, replace(SCHEDULE, steps=1), tmp_path)
    (tmp_path / "training-state.safetensors").write_bytes(damage)
    with pytest.raises(CheckpointError) as caught:
        stage("tokenizer")[1](CORPUS, replace(SCHEDULE, steps=1), tmp_path)
    assert "\n" not in str(caught.value)


def test_the_state_of_another_network_is_refused(tmp_path: Path) -> None:
    """A state saved by the other stage, or by other sizes, is refused in one line."""
    stage("tokenizer")[1](CORPUS, SCHEDULE, tmp_path)
    with pytest.raises(CheckpointError) as caught:
        stage("model")[1](CORPUS, SCHEDULE, tmp_path)
    assert "\n" not in str(caught.value)


def test_seeds_train_different_weights(tmp_path: Path) -> None:
    """From the same initial weights two seeds draw other windows and end elsewhere."""
    (first, train), (second, other) = stage("tokenizer"), stage("tokenizer")
    train(CORPUS, replace(SCHEDULE, steps=2), tmp_path / "first")
    other(CORPUS, replace(SCHEDULE, steps=2, seed=1), tmp_path / "second")
    assert not torch.equal(first.head.weight, second.head.weight)


def test_the_learning_rate_rises_and_falls() -> None:
    """Linear from the first step to the peak at the end of the warm-up, then a half cosine to its final share."""
    schedule = Schedule(steps=200, learning_rate=2.0, warm_up=0.1, final=0.05)
    rates = np.array([schedule.rate(step) for step in range(200)])
    np.testing.assert_allclose(rates[:20], 2.0 * np.arange(1, 21) / 20)
    assert (np.diff(rates[20:]) < 0).all()
    assert schedule.rate(110) == pytest.approx(2.0 * (0.05 + 0.95 / 2))
    assert schedule.rate(200) == pytest.approx(0.1)


def test_the_losses_are_those_of_the_networks() -> None:
    """The tokenizer's loss is half of both errors and the quantizer's; the model's is the mean of its two parts."""
    model, tokenizer = tiny_networks()
    batch = CORPUS.spread(2)
    features, weights = torch.from_numpy(batch.features), torch.tensor(Returns().loss_weights)
    with torch.no_grad():
        terms = tokenizer_losses(tokenizer, features, weights)
        (coarse, full), quantizer, _, _ = tokenizer(features)
        found = model_losses(model, tokenizer, batch, torch.device("cpu"))
    errors = [((decoded - features) ** 2 * weights).mean() for decoded in (coarse, full)]
    assert float(terms["loss"]) == pytest.approx(float((errors[0] + errors[1] + quantizer) / 2))
    assert float(found["loss"]) == pytest.approx(float(found["coarse"] + found["fine"]) / 2)


def test_the_gain_restores_the_variance() -> None:
    """Decoded features, stretched about the mean by the gain, vary as much as the real ones."""
    _, tokenizer = tiny_networks()
    batch = CORPUS.spread(6)
    mean, gain = variance_gain(tokenizer, batch)
    scaled = Returns(mean=tuple(mean), gain=tuple(gain))
    assert len(mean) == len(gain) == scaled.width
    features = torch.from_numpy(batch.features)
    with torch.no_grad():
        decoded = tokenizer.decode(tokenizer.encode(features, half=True), half=True).flatten(0, 1).numpy()
    stretched = np.asarray(mean) + np.asarray(gain) * (decoded - np.asarray(mean))
    np.testing.assert_allclose(stretched.std(axis=0), batch.features.reshape(-1, 5).std(axis=0), rtol=1e-3)
    np.testing.assert_allclose(mean, batch.features.reshape(-1, 5).mean(axis=0), atol=1e-5)


def test_published_models_draw_the_coarse_token_and_ours_are_given_it() -> None:
    """The fine loss depends on torch's generator for the published architecture alone; the coarse one never does."""
    batch = CORPUS.draw(8, np.random.default_rng(3))
    tokenizer, device = tiny_networks(0)[1], torch.device("cpu")
    for ours in (True, False):
        model = KronosTransformer(replace(tiny_networks(1)[0].config, coarse_residual=ours)).eval()
        found = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            found.append(model_losses(model, tokenizer, batch, device))
        assert torch.equal(found[0]["coarse"], found[1]["coarse"])
        assert torch.equal(found[0]["fine"], found[1]["fine"]) is ours


def test_the_log_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Step, loss and parts, one number per step."""
    stage("model")[1](CORPUS, replace(SCHEDULE, steps=4), tmp_path)
    log = read_log(tmp_path)
    assert list(log) == ["step", "loss", "coarse", "fine"]
    assert log["step"] == [1.0, 2.0, 3.0, 4.0]
    np.testing.assert_allclose(log["loss"], (np.array(log["coarse"]) + log["fine"]) / 2, atol=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0}, {"batch": -1}, {"learning_rate": 0.0}, {"learning_rate": float("nan")}, {"seed": -1},
        {"seed": 2**40}, {"precision": "float16"}, {"save_every": 0},
    ],
    ids=str,
)  # fmt: skip
def test_a_schedule_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    """One line names the setting."""
    with pytest.raises(InputError, match="^" + next(iter(wrong))):
        Schedule(**{"steps": 10, **wrong})
