"""The networks of a checkpoint, made of its files and checked; and files of networks, in the published format.

Where the files are is `checkpoint_files`'; pickles are never read. What the networks compute is not known here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file, save
from torch import nn

from stresslab.core.errors import CheckpointError
from stresslab.core.whole_files import put, put_text
from stresslab.generators.kronos.checkpoint_files import (
    CONFIG,
    LARGEST,
    WEIGHTS,
    CheckpointFiles,
    find_checkpoint,
    read_config,
    read_weights,
    shapes,
)
from stresslab.generators.kronos.features import representation
from stresslab.generators.kronos.representation import Representation
from stresslab.generators.kronos.tokenizer import KronosTokenizer, TokenizerConfig
from stresslab.generators.kronos.transformer import KronosTransformer, TransformerConfig

Configuration = TypeVar("Configuration", TransformerConfig, TokenizerConfig)


@dataclass(frozen=True)
class Checkpoint:
    """A model with everything that sampling from it needs; both networks are in eval mode.

    Attributes:
        files: what it was loaded from, and what these say: name, window, training cut-off, hashes.
        model: the transformer.
        tokenizer: the tokenizer it was trained with.
        representation: how bars become its features.
    """

    files: CheckpointFiles
    model: KronosTransformer
    tokenizer: KronosTokenizer
    representation: Representation


def load_checkpoint(name: str) -> Checkpoint:
    """The checkpoint of that name.

    Args:
        name: "nano" (bundled), an id on the hub, or a folder with `model/` and `tokenizer/`.

    Raises:
        CheckpointError: nothing of that name, or what is there is damaged; one line.
    """
    return load_files(find_checkpoint(name))


def load_files(files: CheckpointFiles) -> Checkpoint:
    """Both networks of a checkpoint, checked to belong together.

    Raises:
        CheckpointError: they do not, or the weights are damaged; one line.
    """
    model, tokenizer = load_model(files.model), load_tokenizer(files.tokenizer)
    if (model.s1_bits, model.s2_bits) != (tokenizer.s1_bits, tokenizer.s2_bits):
        raise CheckpointError(
            f"model={files.name}: the model reads {model.s1_bits}+{model.s2_bits} bits, its tokenizer writes "
            f"{tokenizer.s1_bits}+{tokenizer.s2_bits}; put the tokenizer there that the model was trained with"
        )
    features = representation(read_config(files.tokenizer).get("representation"))
    if features.width != tokenizer.config.d_in:
        raise CheckpointError(
            f"model={files.name}: the tokenizer reads {tokenizer.config.d_in} features, its representation has "
            f"{features.width}; correct `representation` in {files.tokenizer / CONFIG}"
        )
    return Checkpoint(files, model, tokenizer, features)


def load_model(folder: Path) -> KronosTransformer:
    """The transformer in a folder of the published format, in eval mode."""
    config = _configuration(folder, TransformerConfig)
    _check_depth(config.n_layers, folder)
    with torch.device("meta"):  # shapes alone: no memory before the weights are known to fit, and no random numbers
        network = KronosTransformer(config)
    return _restore(network, folder)


def load_tokenizer(folder: Path) -> KronosTokenizer:
    """The tokenizer in a folder of the published format, in eval mode."""
    config = _configuration(folder, TokenizerConfig)
    _check_depth(max(config.n_enc_layers, config.n_dec_layers), folder)
    with torch.device("meta"):
        network = KronosTokenizer(config)
    return _restore(network, folder)


def save_model(model: KronosTransformer, folder: Path, **recorded: Any) -> None:
    """Write a transformer in the published format; `recorded` joins its config (max_context, trained_until)."""
    _save(model, asdict(model.config) | recorded, folder)


def save_tokenizer(tokenizer: KronosTokenizer, folder: Path, **recorded: Any) -> None:
    """Write a tokenizer in the published format; `recorded` joins its config (representation, trained_until)."""
    _save(tokenizer, asdict(tokenizer.config) | recorded, folder)


def _save(network: nn.Module, config: Mapping[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = save({name: tensor.contiguous() for name, tensor in network.state_dict().items()})
    put(folder / WEIGHTS, lambda path: path.write_bytes(content))
    put_text(folder / CONFIG, json.dumps(config, indent=1) + "\n")


def _configuration(folder: Path, kind: type[Configuration]) -> Configuration:
    """The settings of a network; keys that it does not know are left aside, wrong values are refused."""
    content, settings, defaults = read_config(folder), {}, asdict(kind())
    for name, default in defaults.items():
        if name not in content:
            continue
        value = content[name]
        number = isinstance(value, int | float) and (isinstance(value, bool) == isinstance(default, bool))
        if not number or not 0 <= value <= LARGEST or (isinstance(default, int) and value != int(value)):
            raise CheckpointError(f"{folder / CONFIG}: {name}={value!r} is not a number like {default!r}")
        if name.endswith("_p") and value > 1:
            raise CheckpointError(f"{folder / CONFIG}: {name}={value!r} is not a probability in [0, 1]")
        settings[name] = type(default)(value)
    config = kind(**settings)
    if not (0 < config.s1_bits <= 16 and 0 < config.s2_bits <= 16):
        raise CheckpointError(f"{folder / CONFIG}: s1_bits, s2_bits = {config.s1_bits}, {config.s2_bits} not in 1..16")
    if config.n_heads < 1 or config.d_model < 1 or config.d_model % (2 * config.n_heads):
        raise CheckpointError(
            f"{folder / CONFIG}: d_model={config.d_model} is not a multiple of 2 x n_heads={config.n_heads}"
        )
    return config


Network = TypeVar("Network", bound=nn.Module)


def _check_depth(layers: int, folder: Path) -> None:
    """Refuse more layers than there are tensors, before they are built."""
    count = len(shapes(folder / WEIGHTS))
    if layers > count:
        raise CheckpointError(f"{folder / CONFIG} asks for {layers:,} layers, {WEIGHTS} beside it has {count} tensors")


def _restore(network: Network, folder: Path) -> Network:
    """Load a network's weights, all of them and nothing else, and put it into eval mode without gradients."""
    path = folder / WEIGHTS
    found = shapes(path)
    expected = network.state_dict()
    for name, tensor in expected.items():
        if name not in found:
            raise CheckpointError(f"{path} lacks the tensor {name}; it does not belong to {CONFIG} beside it")
        if found[name] != tuple(tensor.shape):
            raise CheckpointError(
                f"{path}: {name} has shape {found[name]}, {CONFIG} beside it asks for "
                f"{tuple(tensor.shape)}; use the config that the weights were saved with"
            )
    unknown = sorted(set(found) - set(expected))
    if unknown:
        raise CheckpointError(f"{path} has a tensor {unknown[0]} that {CONFIG} beside it has no place for")
    tensors = read_weights(path, load_file)  # not before all are known to be as large as they should be
    for name in expected:
        if not torch.isfinite(tensors[name]).all():
            raise CheckpointError(f"{path}: {name} holds NaN or infinite numbers; take the weights again")
    own = {name: tensors[name].to(tensor.dtype, copy=True) for name, tensor in expected.items()}  # not the mapped file
    network.load_state_dict(own, assign=True)
    return network.eval().requires_grad_(False)
