"""Weights on disk: whole ones load as they were saved, damaged ones are refused in one line that says what to do."""

from __future__ import annotations

import io
import json
import shutil
import urllib.request
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from stresslab.core.errors import CheckpointError, InputError
from stresslab.data.bars import Bars
from stresslab.generators.kronos import checkpoint, checkpoint_files
from stresslab.generators.kronos.checkpoint import (
    load_checkpoint,
    load_model,
    load_tokenizer,
    save_model,
    save_tokenizer,
)
from stresslab.generators.kronos.checkpoint_files import PUBLISHED, Hosted, Published, nano_folder
from stresslab.generators.kronos.generator import Kronos
from stresslab.generators.kronos.level_features import Levels
from stresslab.generators.kronos.return_features import Returns
from tests.generators.kronos.cases import PARITY, tiny_networks
from tests.make.bars import make_bars

WEIGHTS, CONFIG = "model.safetensors", "config.json"
OFFICIAL = "https://raw.githubusercontent.com/shiyu-coder/Kronos/67b630e67f6a18c9e9be918d9b4337c960db1e9a/tests/data"
Damage = Callable[[Path], Any]


@pytest.fixture
def folder(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint, to be damaged."""
    return shutil.copytree(tiny, tmp_path / "tiny")


def refusal(name: Path | str) -> str:
    """The one line with which this checkpoint is refused."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(str(name))
    message = str(caught.value)
    assert "\n" not in message
    return message


def retensor(change: Callable[[dict[str, torch.Tensor]], Any]) -> Damage:
    """Damage to the tensors of a file of weights."""

    def damage(path: Path) -> None:
        tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}
        change(tensors)
        save_file(tensors, path)

    return damage


@pytest.mark.parametrize("part", ["model", "tokenizer"])
@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "not a whole safetensors file"),
        (lambda path: path.write_bytes(path.read_bytes()[:5]), "not a whole safetensors file"),
        (lambda path: path.write_bytes(b""), "not a whole safetensors file"),
        (lambda path: path.write_bytes(bytes(range(256)) * 40), "not a whole safetensors file"),
        (lambda path: path.unlink(), f"{WEIGHTS} is missing"),
        (lambda path: path.rename(path.with_name("pytorch_model.bin")), "is a pickle, which is never read"),
        (lambda path: path.with_name(CONFIG).unlink(), f"{CONFIG} is missing"),
        (lambda path: path.with_name(CONFIG).write_text("{s1_bits: 4"), "is not JSON"),
        (lambda path: path.with_name(CONFIG).write_bytes(b"\xff\xfe\x00"), "is not JSON"),
        (lambda path: path.with_name(CONFIG).write_text("[4, 4]"), "holds list, not settings"),
        (retensor(lambda tensors: tensors.popitem()), "lacks the tensor"),
        (retensor(lambda tensors: tensors.update(extra=torch.ones(2))), "has a tensor extra"),
    ],
)
def test_damaged_files_are_refused(folder: Path, part: str, damage: Damage, found: str) -> None:
    """A truncated, foreign, missing or pickled file, or one with other tensors, is named with what is wrong with it."""
    damage(folder / part / WEIGHTS)
    message = refusal(folder)
    assert found in message
    assert str(folder / part) in message


@pytest.mark.parametrize(
    ("part", "name"), [("model", "head.proj_s2.bias"), ("model", "norm.weight"), ("tokenizer", "embed.weight")]
)
def test_wrong_tensors_are_refused(folder: Path, part: str, name: str) -> None:
    """A tensor of another shape, or one that holds NaN or infinity, is named."""
    path = folder / part / WEIGHTS
    whole = path.read_bytes()
    for worst in (float("nan"), float("inf")):
        retensor(lambda tensors, worst=worst: tensors[name].view(-1)[-1:].fill_(worst))(path)
        assert f"{name} holds NaN or infinite numbers" in refusal(folder)
        path.write_bytes(whole)
    retensor(lambda tensors: tensors.update({name: tensors[name][:-1].clone()}))(path)
    assert f"{name} has shape" in refusal(folder)


@pytest.mark.parametrize("part", ["model", "tokenizer"])
@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"d_model": "16"}, "d_model='16' is not a number like"),
        ({"d_model": None}, "d_model=None is not a number like"),
        ({"d_model": [16]}, "is not a number like"),
        ({"d_model": True}, "d_model=True is not a number like"),
        ({"d_model": -16}, "d_model=-16 is not a number like"),
        ({"d_model": 16.5}, "d_model=16.5 is not a number like"),
        ({"d_model": float("nan")}, "d_model=nan is not a number like"),
        ({"d_model": float("inf")}, "d_model=inf is not a number like"),
        ({"d_model": 0}, "is not a multiple of 2 x n_heads"),
        ({"n_heads": 3}, "d_model=16 is not a multiple of 2 x n_heads=3"),
        ({"n_heads": 0}, "d_model=16 is not a multiple of 2 x n_heads=0"),
        ({"n_heads": 16}, "d_model=16 is not a multiple of 2 x n_heads=16"),
        ({"d_model": 2**40}, "is not a number like"),
        ({"d_model": 2**16}, "asks for"),
        ({"s1_bits": 0}, "not in 1..16"),
        ({"s2_bits": 60}, "not in 1..16"),
        ({"ffn_dropout_p": 1.5}, "ffn_dropout_p=1.5 is not a probability"),
        ({"ff_dim": 64}, "asks for"),
    ],
)
def test_wrong_settings_are_refused(folder: Path, part: str, settings: dict[str, Any], found: str) -> None:
    """A setting of another kind, out of range or unlike the weights beside it is named; nothing huge is allocated."""
    config = folder / part / CONFIG
    config.write_text(json.dumps(json.loads(config.read_text()) | settings))
    assert found in refusal(folder)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"max_context": "64"}, "max_context='64'"),
        ({"max_context": 1}, "max_context=1"),
        ({"max_context": 64.5}, "max_context=64.5"),
        ({"trained_until": "soon"}, "trained_until='soon' is not a date"),
        ({"trained_until": 2024}, "trained_until=2024 is not a date"),
    ],
)
def test_wrong_records_of_the_model_are_refused(folder: Path, settings: dict[str, Any], found: str) -> None:
    """A window or a training cut-off that makes no sense is refused when the model is loaded, not later."""
    config = folder / "model" / CONFIG
    config.write_text(json.dumps(json.loads(config.read_text()) | settings))
    assert found in refusal(folder)


@pytest.mark.parametrize(
    "settings",
    [
        "returns",
        ["returns"],
        {"kind": ["returns"]},
        {"kind": "returns", "clip": "8"},
        {"kind": "returns", "clip": -1},
        {"kind": "returns", "clip": True},
        {"kind": "returns", "gain": [1, 1]},
        {"kind": "returns", "gain": 1},
        {"kind": "returns", "mean": ["a"] * 5},
        {"kind": "returns", "mean": [float("nan")] * 5},
        {"kind": "returns", "half_lives": []},
        {"kind": "returns", "half_lives": [0]},
        {"kind": "returns", "width": 5},
        {"kind": "levels"},
        None,
    ],
)
def test_wrong_representations_are_refused(folder: Path, settings: Any) -> None:
    """A representation that is not one, or of another width than the tokenizer, points to the config."""
    config = folder / "tokenizer" / CONFIG
    config.write_text(json.dumps(json.loads(config.read_text()) | {"representation": settings}))
    message = refusal(folder)
    assert "representation" in message
    assert CONFIG in message


@pytest.mark.parametrize("part", ["model", "tokenizer"])
def test_a_missing_part_is_named(folder: Path, part: str) -> None:
    """A folder without model/ or tokenizer/ is refused, saying what must be there."""
    shutil.rmtree(folder / part)
    assert f"the folder has no {part}/; it must hold model/ and tokenizer/" in refusal(folder)


def test_parts_of_different_checkpoints_are_refused(folder: Path) -> None:
    """A tokenizer of another code length than the model reads is refused with both lengths."""
    shutil.rmtree(folder / "tokenizer")
    shutil.copytree(PARITY / "within_context" / "tokenizer", folder / "tokenizer")
    assert "the model reads 4+4 bits, its tokenizer writes 6+6" in refusal(folder)


@pytest.mark.parametrize("name", ["gpt-5", "NeoQuasar/Kronos-large", "no/such/folder", "nano ", "a\0b", "x" * 5000])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    """A name that is neither bundled, hosted nor a folder is refused with the names that are known."""
    message = refusal(name)
    assert repr(name) in message
    assert "nano" in message
    assert all(known in message for known in PUBLISHED)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """Saved and loaded networks have the same tensors, compute the same, and are saved to the same bytes again."""
    model, tokenizer = tiny_networks(seed=3)
    save_model(model, tmp_path / "model", max_context=48, trained_until="2019-06-30")
    save_tokenizer(tokenizer, tmp_path / "tokenizer", representation=Returns(clip=6.0).settings())
    loaded = load_checkpoint(str(tmp_path))
    for before, after in ((model, loaded.model), (tokenizer, loaded.tokenizer)):
        assert before.config == after.config
        assert before.state_dict().keys() == after.state_dict().keys()
        assert all(torch.equal(tensor, after.state_dict()[name]) for name, tensor in before.state_dict().items())
    assert (loaded.files.max_context, loaded.files.trained_until) == (48, "2019-06-30")
    assert loaded.representation == Returns(clip=6.0)
    save_model(loaded.model, tmp_path / "again", max_context=48, trained_until="2019-06-30")
    for name in (WEIGHTS, CONFIG):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "model" / name).read_bytes()


def test_loaded_networks_are_for_inference(tiny: Path) -> None:
    """Both networks are in eval mode, without gradients."""
    loaded = load_checkpoint(str(tiny))
    for network in (loaded.model, loaded.tokenizer):
        assert not any(module.training for module in network.modules())
        assert not any(parameter.requires_grad for parameter in network.parameters())


def test_half_precision_weights_are_widened(folder: Path) -> None:
    """Weights stored in bfloat16 are computed with in float32."""
    retensor(lambda tensors: tensors.update({k: v.bfloat16() for k, v in tensors.items()}))(folder / "model" / WEIGHTS)
    model = load_model(folder / "model")
    assert {tensor.dtype for tensor in model.state_dict().values()} == {torch.float32}


def test_loaded_weights_outlive_their_file(folder: Path) -> None:
    """Overwriting the file of loaded weights does not change the networks: they do not live in a mapped file."""
    tokenizer, path = load_tokenizer(folder / "tokenizer"), folder / "tokenizer" / WEIGHTS
    before = {name: tensor.clone() for name, tensor in tokenizer.state_dict().items()}
    with path.open("r+b") as opened:
        opened.write(b"\x00" * path.stat().st_size)
    assert all(torch.equal(tensor, before[name]) for name, tensor in tokenizer.state_dict().items())


def test_a_published_folder_means_levels_and_the_published_window(tmp_path: Path) -> None:
    """A folder in the published format, which records neither, has price levels, 512 bars and no training cut-off."""
    for part in ("model", "tokenizer"):
        shutil.copytree(PARITY / "within_context" / part, tmp_path / part)
    assert load_checkpoint(str(tmp_path)).files.max_context == 128  # the case's config says so
    config = json.loads((tmp_path / "model" / CONFIG).read_text())
    del config["max_context"]
    (tmp_path / "model" / CONFIG).write_text(json.dumps(config))
    (tmp_path / "case.json").write_text('{"max_context": 64}')  # no file of a checkpoint
    loaded = load_checkpoint(str(tmp_path))
    assert (loaded.representation, loaded.files.max_context, loaded.files.trained_until) == (Levels(), 512, None)


@pytest.fixture
def hosted(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Hosts the tiny checkpoint as a published one with the hashes given; returns its name."""
    monkeypatch.setattr(checkpoint_files, "_download", lambda place: tiny / place.repository.split("/")[1])

    def host(**hashes: str | None) -> str:
        places = {part: Hosted(f"them/{part}", "0" * 40, hashes.get(part)) for part in ("model", "tokenizer")}
        published = Published(places["model"], places["tokenizer"], 64)
        monkeypatch.setattr(checkpoint_files, "PUBLISHED", {"them/kronos": published})
        return "them/kronos"

    return host


def test_published_weights_are_checked_against_their_hash(tiny: Path, hosted: Callable[..., str]) -> None:
    """A published checkpoint loads with its window, cut-off and revisions if its hashes are the known ones."""
    found = load_checkpoint(str(tiny)).files.hashes
    loaded = load_checkpoint(hosted(**found))
    assert loaded.files.hashes == found
    assert (loaded.files.max_context, loaded.files.trained_until) == (64, "2024-06-30")
    assert loaded.files.revisions == {"model": "0" * 40, "tokenizer": "0" * 40}
    load_checkpoint(hosted(model=None))  # where none is known, none is asked for


@pytest.mark.parametrize("part", ["model", "tokenizer"])
def test_published_weights_with_another_hash_are_refused(hosted: Callable[..., str], part: str) -> None:
    """Weights whose sha256 is not the known one are refused before they are used."""
    message = refusal(hosted(**{part: "f" * 64}))
    assert f"them/{part}" in message
    assert f"known is {'f' * 64}" in message


def test_an_unreachable_hub_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a connection the error says so, and that a bundled model exists."""
    import huggingface_hub

    def fail(*_: object, **__: object) -> str:
        raise OSError("no route\nto host")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    message = refusal("NeoQuasar/Kronos-small")
    assert "no route to host" in message
    assert "`model=nano`" in message


@pytest.mark.network
@pytest.mark.parametrize("context", [256, 512])
def test_kronos_small_gives_the_official_regression_values(context: int) -> None:
    """Kronos-small from the hub, decoded greedily, gives the bars that the official repository's own tests expect."""
    given, expected = (
        pd.read_csv(io.BytesIO(urllib.request.urlopen(f"{OFFICIAL}/{name}.csv").read()), parse_dates=["timestamps"])
        for name in ("regression_input", f"regression_output_{context}")
    )
    history = Bars.from_frame(given[:context])
    kronos = Kronos(
        "NeoQuasar/Kronos-small", top_k=1, anchor=False, repair=False, context=context, window="rolling", device="cpu"
    )
    made = kronos.sample(history, len(expected), 1)
    assert made.timestamps.equals(pd.DatetimeIndex(expected["timestamps"]))
    columns = ["open", "high", "low", "close", "volume", "amount"]
    np.testing.assert_allclose(made.values[0], expected[columns].to_numpy(np.float32), rtol=1e-5)


@pytest.mark.network
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_checkpoints_sample(name: str) -> None:
    """Every published checkpoint downloads, has the hashes that are known, and samples finite bars."""
    made = Kronos(name, device="cpu").sample(make_bars(100), 2, 1)
    assert np.isfinite(made.values).all()


def test_what_fine_tuning_leaves_is_loaded(tmp_path: Path) -> None:
    """Kronos' own fine-tuning writes `tokenizer/best_model` and `basemodel/best_model`."""
    nano = checkpoint_files.nano_folder()
    shutil.copytree(nano / "tokenizer", tmp_path / "tokenizer" / "best_model")
    shutil.copytree(nano / "model", tmp_path / "basemodel" / "best_model")
    tuned, bundled = checkpoint.load_checkpoint(str(tmp_path)), checkpoint.load_checkpoint("nano")
    assert tuned.files.hashes == bundled.files.hashes


@pytest.mark.parametrize("factor", [1e15, 1e37])
@pytest.mark.parametrize("part", ["model", "tokenizer"])
def test_weights_that_overflow_when_they_are_used_are_refused(tmp_path: Path, part: str, factor: float) -> None:
    """Weights that are finite but huge end in one line, and in no warning."""
    shutil.copytree(nano_folder(), tmp_path / "huge")
    for measured in (tmp_path / "huge").glob("*.json"):  # of other weights
        measured.unlink()
    path = tmp_path / "huge" / part / "model.safetensors"
    tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
    save_file({name: (tensor * factor).clamp(-3e38, 3e38) for name, tensor in tensors.items()}, path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=r"overflow when they are used|too large to be meant") as refused:
            Kronos(str(tmp_path / "huge")).sample(make_bars(120), 3, 2, 1)
    assert "\n" not in str(refused.value)


def test_nano_brings_what_its_universes_held() -> None:
    """The bundled model has a calibration of its own weights, on hundreds of held-out daily origins."""
    bundled = checkpoint_files.find_checkpoint("nano")
    assert bundled.calibration is not None
    assert bundled.calibration["weights"] == dict(bundled.hashes)
    row = bundled.calibration["kinds"]["1 day, weekdays"]
    assert row["origins"] > 400
    assert row["coverage_90"]["low"] < 0.9 < row["coverage_90"]["high"]
