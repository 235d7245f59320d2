"""The two stages of training end in a folder that samples, a card that is true, and symbols held out for good."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stresslab as sl
from stresslab.core.errors import CheckpointError, InputError
from stresslab.generators.kronos.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_tokenizer,
)
from stresslab.generators.kronos.checkpoint_files import read_config
from stresslab.generators.kronos.train.bar_files import Material, Sizes
from stresslab.generators.kronos.train.loop import Progress
from stresslab.generators.kronos.train.presets import make_model, make_tokenizer
from tests.generators.kronos.train.cases import MATERIAL, SCHEDULE, SERIES, SIZES, WALK


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder with both stages, and its card; not to be changed."""
    out = tmp_path_factory.mktemp("made")
    make_tokenizer(MATERIAL, out, SIZES, SCHEDULE)
    make_model(MATERIAL, out, SIZES, SCHEDULE)
    return out, json.loads((out / "card.json").read_text())


# --------------------------------------------------------------------------------------------------------- checkpoint


def test_the_folder_samples(made: tuple[Path, dict[str, Any]]) -> None:
    """What was trained is a generator: it loads by its folder and gives finite bars above zero."""
    generator = sl.Kronos(str(made[0]))
    sampled = generator.sample(WALK, 8, 5, seed=1)
    assert sampled.values.shape == (5, 8, 6)
    assert (sampled.values[:, :, :4] > 0).all()
    assert np.isfinite(sampled.values).all()
    described = generator.describe()
    assert described["max_context"] == SIZES.context
    assert described["trained_until"] == MATERIAL.trained_until


def test_the_card_says_what_was_trained_on_what(made: tuple[Path, dict[str, Any]]) -> None:
    """Both stages with their data, their own sizes and schedule; the model with its losses."""
    card = made[1]
    assert set(card) == {"tokenizer", "model"}
    for stage in card.values():
        assert stage["data"] == {
            "series": 11,
            "segments": 11,
            "bars": 11 * 360,
            "start": str(WALK.timestamps[0].date()),
            "cuts": {"bars": str(WALK.timestamps[360].date())},
            "held_out_series": 1,
            "interrupted": {"gaps": 0, "jumps": 0, "still_bars": 0},
            "skipped": [],
        }
        assert stage["schedule"] == asdict(SCHEDULE)
    assert card["tokenizer"]["sizes"] == {"context": 64, "bits": 4, "tokenizer_width": 8, "tokenizer_layers": 1}
    assert card["model"]["sizes"] == {"context": 64, "width": 16, "layers": 1, "heads": 2}
    assert card["model"]["trained_until"] == card["tokenizer"]["trained_until"] == MATERIAL.trained_until
    assert "tuned_from" not in card["model"]
    evaluation = card["model"]["evaluation"]
    assert evaluation["series"] == 1
    assert evaluation["loss"] == pytest.approx(evaluation["coarse"] + evaluation["fine"])
    for difference in ("below_unigram", "above_when_shuffled"):
        assert set(evaluation[difference]) == {"value", "low", "high"}


def test_a_finished_training_is_not_repeated(made: tuple[Path, dict[str, Any]]) -> None:
    """Called again, both stages take no step and leave the same weights and card."""
    out, card = made
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    steps: list[Progress] = []
    make_tokenizer(MATERIAL, out, SIZES, SCHEDULE, on_step=steps.append)
    make_model(MATERIAL, out, SIZES, SCHEDULE, on_step=steps.append)
    assert steps == []
    assert json.loads((out / "card.json").read_text()) == card
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_an_interrupted_training_ends_the_same(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """Stopped after a saved state and called again, the weights are those of a training that ran through."""

    def interrupt(progress: Progress) -> None:
        if progress.step == 3:
            raise KeyboardInterrupt

    for make in (make_tokenizer, make_model):
        with pytest.raises(KeyboardInterrupt):
            make(MATERIAL, tmp_path, SIZES, SCHEDULE, on_step=interrupt)
        make(MATERIAL, tmp_path, SIZES, SCHEDULE)
    for part in ("tokenizer", "model"):
        name = Path(part) / "model.safetensors"
        assert (tmp_path / name).read_bytes() == (made[0] / name).read_bytes()


@pytest.mark.parametrize("changed", ["bars", "sizes", "tokenizer"])
def test_a_training_does_not_go_on_with_something_else(
    made: tuple[Path, dict[str, Any]], tmp_path: Path, changed: str
) -> None:
    """A state that began on other bars, sizes or tokens is refused: the card would describe neither."""
    out, material, sizes, own = tmp_path / "out", MATERIAL, SIZES, made[0] / "tokenizer"
    make_model(MATERIAL, out, SIZES, SCHEDULE, tokenizer=own)
    card = (out / "card.json").read_bytes()
    if changed == "bars":
        material = Material.of({"bars": SERIES[1:]}, {}, 64)
    elif changed == "sizes":
        sizes = replace(SIZES, context=70)
    else:
        for path in (out / "tokenizer").iterdir():
            path.unlink()
        (out / "tokenizer").rmdir()
        own = make_tokenizer(MATERIAL, tmp_path / "other", SIZES, replace(SCHEDULE, seed=5))
    with pytest.raises(InputError, match=f"began with other {changed}; repeat its settings .* another `out`"):
        make_model(material, out, sizes, SCHEDULE, tokenizer=own)
    assert (out / "card.json").read_bytes() == card


def test_a_tokenizer_from_elsewhere_is_copied(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """The new folder is whole by itself; a later date that the tokenizer knows is the model's too."""
    other = Material.of({"bars": SERIES}, {"bars": WALK.timestamps[200]}, 64)
    assert other.trained_until < MATERIAL.trained_until
    make_model(other, tmp_path, SIZES, SCHEDULE, tokenizer=made[0] / "tokenizer")
    assert sorted(path.name for path in (tmp_path / "tokenizer").iterdir()) == ["config.json", "model.safetensors"]
    assert sl.Kronos(str(tmp_path)).describe()["trained_until"] == MATERIAL.trained_until
    assert json.loads((tmp_path / "card.json").read_text())["model"]["trained_until"] == MATERIAL.trained_until


def test_another_tokenizer_in_the_folder_is_left_alone(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """A trained tokenizer is not written over; naming the one that is there is the same as leaving it out."""
    own = make_tokenizer(MATERIAL, tmp_path, SIZES, replace(SCHEDULE, seed=5))
    before = (own / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match="holds another tokenizer"):
        make_model(MATERIAL, tmp_path, SIZES, SCHEDULE, tokenizer=made[0] / "tokenizer")
    assert (own / "model.safetensors").read_bytes() == before
    make_model(MATERIAL, tmp_path, SIZES, SCHEDULE, tokenizer=own)
    assert (own / "model.safetensors").read_bytes() == before


def test_a_model_needs_a_tokenizer(tmp_path: Path, made: tuple[Path, dict[str, Any]]) -> None:
    """Without one, with a folder that holds none, and with a damaged one: one line, nothing written."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="train one with stresslab train tokenizer"):
        make_model(MATERIAL, tmp_path / "out", SIZES, SCHEDULE)
    for wrong in (tmp_path / "nowhere", tmp_path / "empty", made[0] / "model"):
        with pytest.raises((InputError, CheckpointError)) as caught:
            make_model(MATERIAL, tmp_path / "out", SIZES, SCHEDULE, tokenizer=wrong)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Named before anything is written."""
    with pytest.raises(InputError, match="device='abacus' cannot be used"):
        make_tokenizer(MATERIAL, tmp_path / "out", SIZES, SCHEDULE, device="abacus")
    assert not (tmp_path / "out").exists()


def test_a_damaged_card_is_refused(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """A card that is no JSON is not written over."""
    (tmp_path / "card.json").write_text("trained it well")
    with pytest.raises(CheckpointError, match=r"card\.json is not JSON"):
        make_tokenizer(MATERIAL, tmp_path, SIZES, SCHEDULE)
    assert (tmp_path / "card.json").read_text() == "trained it well"


# ------------------------------------------------------------------------------------------------------------- tuning


def weights(network: Any) -> list[np.ndarray]:
    """All weights of a network."""
    return [tensor.numpy() for tensor in network.state_dict().values()]


def same_weights(first: Any, second: Any) -> bool:
    """Whether two networks have the same weights, but for steps of 1e-30."""
    return all(np.allclose(a, b, rtol=0, atol=1e-20) for a, b in zip(weights(first), weights(second), strict=True))


def test_tuning_starts_from_the_weights(start: Checkpoint, tmp_path: Path) -> None:
    """A step too small to be seen leaves the weights, tokenizer, config and window of the checkpoint as they were."""
    still = replace(SCHEDULE, steps=1, learning_rate=1e-30)
    sizes = Sizes.of(start, {})
    make_model(MATERIAL, tmp_path, sizes, still, start=start)
    tuned = load_checkpoint(str(tmp_path))
    assert same_weights(tuned.model, start.model)
    assert same_weights(tuned.tokenizer, start.tokenizer)
    assert tuned.model.config == start.model.config
    assert tuned.representation == start.representation
    assert tuned.files.max_context == start.files.max_context


def test_tuning_learns_and_says_from_what(start: Checkpoint, tmp_path: Path) -> None:
    """Weights move, the checkpoint's own stay, the date is the later of both, and the card has name and hashes."""
    before = [array.copy() for array in weights(start.model)]
    sizes = Sizes.of(start, {})
    make_model(MATERIAL, tmp_path, sizes, SCHEDULE, start=start)
    tuned = load_checkpoint(str(tmp_path))
    assert not same_weights(tuned.model, start.model)
    assert all(np.array_equal(a, b) for a, b in zip(before, weights(start.model), strict=True))
    assert tuned.files.trained_until == max(MATERIAL.trained_until, str(start.files.trained_until))
    card = json.loads((tmp_path / "card.json").read_text())["model"]
    assert card["tuned_from"]["model"] == start.files.name
    assert card["tuned_from"]["hashes"] == dict(start.files.hashes)
    sampled = sl.Kronos(str(tmp_path)).sample(WALK, 4, 3)
    assert np.isfinite(sampled.values).all()


def test_a_tuned_tokenizer_keeps_its_representation(start: Checkpoint, tmp_path: Path) -> None:
    """Its kind and settings stay, but for mean and gain, which are those of the new bars; the model then uses it."""
    sizes = Sizes.of(start, {})
    made = make_tokenizer(MATERIAL, tmp_path, sizes, SCHEDULE, start=start)
    recorded = read_config(made)["representation"]
    own = start.representation.settings()
    measured = ("mean", "gain")
    assert {key: value for key, value in recorded.items() if key not in measured} == {
        key: list(value) if isinstance(value, tuple) else value for key, value in own.items() if key not in measured
    }
    assert load_tokenizer(made).config == start.tokenizer.config
    assert not same_weights(load_tokenizer(made), start.tokenizer)
    before = (made / "model.safetensors").read_bytes()
    make_model(MATERIAL, tmp_path, sizes, SCHEDULE, start=start)
    assert (made / "model.safetensors").read_bytes() == before


def test_tuning_goes_on_and_is_not_repeated(start: Checkpoint, tmp_path: Path) -> None:
    """Called again it takes no step; with another start, or none, the folder is refused."""
    sizes = Sizes.of(start, {})
    make_model(MATERIAL, tmp_path, sizes, SCHEDULE, start=start)
    steps: list[Progress] = []
    make_model(MATERIAL, tmp_path, sizes, SCHEDULE, start=start, on_step=steps.append)
    assert steps == []
    other = replace(start, files=replace(start.files, hashes={"model": "other", "tokenizer": "other"}))
    for wrong in (other, None):
        with pytest.raises(InputError, match="began with other starting weights"):
            make_model(MATERIAL, tmp_path, sizes, SCHEDULE, start=wrong)


def test_training_windows_may_be_shorter_than_the_models(start: Checkpoint, tmp_path: Path) -> None:
    """A shorter context is for the training alone: the model keeps its window."""
    longer = replace(start, files=replace(start.files, max_context=128))
    sizes = Sizes.of(longer, {"context": 64})
    assert sizes.context == 64
    make_model(MATERIAL, tmp_path, sizes, SCHEDULE, start=longer)
    assert load_checkpoint(str(tmp_path)).files.max_context == 128


def test_a_tokenizer_of_other_bits_does_not_fit_the_start(start: Checkpoint, tmp_path: Path) -> None:
    """Its tokens mean nothing to the model; refused before anything is trained."""
    sizes = replace(SIZES, bits=5)
    make_tokenizer(MATERIAL, tmp_path, sizes, replace(SCHEDULE, steps=1))
    with pytest.raises(InputError, match=r"writes 5\+5 bits, the model to be tuned reads 4\+4"):
        make_model(MATERIAL, tmp_path, Sizes.of(start, {}), SCHEDULE, start=start)
    assert not (tmp_path / "model").exists()
