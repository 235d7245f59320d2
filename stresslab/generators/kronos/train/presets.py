"""From bars and sizes to a folder that `Kronos(folder)` loads: the two stages of training, and the card they leave.

`loop` does the training steps, `kronos.checkpoint` knows what a checkpoint looks like.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from stresslab.core.errors import InputError
from stresslab.core.whole_files import put, put_text
from stresslab.data.bars import Bars
from stresslab.generators.kronos.checkpoint import Checkpoint, load_tokenizer, save_model, save_tokenizer
from stresslab.generators.kronos.checkpoint_files import CONFIG, WEIGHTS, read_config, read_json
from stresslab.generators.kronos.device import find_device
from stresslab.generators.kronos.features import representation
from stresslab.generators.kronos.representation import Representation
from stresslab.generators.kronos.return_features import Returns
from stresslab.generators.kronos.tokenizer import KronosTokenizer, TokenizerConfig
from stresslab.generators.kronos.train.bar_files import SCORED, Material, Sizes
from stresslab.generators.kronos.train.loop import OnStep, Schedule, train_model, train_tokenizer, variance_gain
from stresslab.generators.kronos.train.validation_loss import Evaluation, evaluate
from stresslab.generators.kronos.train.windows import Corpus
from stresslab.generators.kronos.transformer import KronosTransformer, TransformerConfig

CARD = "card.json"
LEARNS_FROM = "learns-from.json"
STATES = "training"
"""Folder of the states that an interrupted training goes on from; a finished checkpoint does not need it."""
WINDOWS_PER_SERIES = 4
"""Windows of each series that are scored, at most."""
TOKEN_DROPOUT = 0.1
"""Share of embedded channels dropped while training."""


def make_tokenizer(
    material: Material,
    out: Path,
    sizes: Sizes,
    schedule: Schedule,
    *,
    start: Checkpoint | None = None,
    device: str = "cpu",
    on_step: OnStep | None = None,
) -> Path:
    """Train a tokenizer over `Returns` and write it to `out/tokenizer`; an interrupted training goes on.

    Args:
        material: what to learn from.
        out: the checkpoint's folder.
        sizes: shape of the network; with a `start`, its own (`Sizes.of`).
        schedule: how long and how fast.
        start: checkpoint whose tokenizer is tuned; its representation is kept.
        device: where to train.
        on_step: called after every step.

    Returns:
        The tokenizer's folder.
    """
    features: Representation = Returns() if start is None else start.representation
    corpus, where = Corpus(material.training, features, sizes.context // 2), find_device(device)
    shape = _chosen(sizes, "context", "bits", "tokenizer_width", "tokenizer_layers")
    learns_from = {"bars": _digest(material.training), "sizes": shape, "starting weights": _identity(start)}
    _claim(out / STATES / "tokenizer", learns_from)
    torch.manual_seed(schedule.seed)
    tokenizer = KronosTokenizer(_tokenizer_config(sizes, features) if start is None else start.tokenizer.config)
    if start is not None:
        tokenizer.load_state_dict(start.tokenizer.state_dict())
    train_tokenizer(tokenizer.to(where), corpus, schedule, out / STATES / "tokenizer", on_step)
    tokenizer.cpu().eval()
    if isinstance(features, Returns):
        mean, gain = variance_gain(tokenizer, corpus.spread(WINDOWS_PER_SERIES))
        features = replace(features, mean=tuple(mean), gain=tuple(gain))
    trained_until = _later(material.trained_until, start and start.files.trained_until)
    save_tokenizer(tokenizer, out / "tokenizer", representation=features.settings(), trained_until=trained_until)
    content = {"data": material.describe(), "sizes": shape, "schedule": asdict(schedule)}
    _record(out, "tokenizer", content | {"trained_until": trained_until} | _tuned_from(start))
    return out / "tokenizer"


def make_model(
    material: Material,
    out: Path,
    sizes: Sizes,
    schedule: Schedule,
    *,
    tokenizer: Path | None = None,
    start: Checkpoint | None = None,
    device: str = "cpu",
    on_step: OnStep | None = None,
) -> Evaluation:
    """Train a transformer on a tokenizer's tokens, write it to `out/model`, and score it on the held-out series.

    Args:
        material: what to learn from and to be judged on.
        out: the checkpoint's folder, which holds `tokenizer/` unless another is given; an interrupted training goes on.
        sizes: shape of the network; with a `start`, its own (`Sizes.of`).
        schedule: how long and how fast.
        tokenizer: folder of a trained tokenizer; it is copied into `out`.
        start: checkpoint whose model is tuned; it keeps its window, and its tokenizer is copied into `out` unless one
            was trained there or is given.
        device: where to train.
        on_step: called after every step.

    Returns:
        The losses, which the card in `out` records too.
    """
    where = find_device(device)
    if start is not None and tokenizer is None and not (out / "tokenizer").is_dir():
        Corpus(material.training, start.representation, sizes.context)  # refused before anything is written
        _give_tokenizer(start, out / "tokenizer")
    source = tokenizer or out / "tokenizer"
    trained, settings = _read_tokenizer(source)
    features = representation(settings.get("representation"))
    corpus = Corpus(material.training, features, sizes.context)
    config = _model_config(sizes, trained) if start is None else start.model.config
    _check_bits(source, trained, config)
    _adopt(source, out / "tokenizer")
    shape = _chosen(sizes, "context", "width", "layers", "heads")
    learns_from: dict[str, Any] = {"bars": _digest(material.training), "sizes": shape}
    learns_from["tokenizer"] = _weights_digest(source)
    learns_from["starting weights"] = _identity(start)
    _claim(out / STATES / "model", learns_from)
    torch.manual_seed(schedule.seed)
    model = KronosTransformer(config)
    if start is not None:
        model.load_state_dict(start.model.state_dict())
    train_model(model.to(where), trained.to(where), corpus, schedule, out / STATES / "model", on_step)
    model, trained = model.cpu().eval(), trained.cpu()
    trained_until = _later(material.trained_until, settings.get("trained_until"), start and start.files.trained_until)
    window = sizes.context if start is None else start.files.max_context
    save_model(model, out / "model", max_context=window, trained_until=trained_until)
    held_out = Corpus(material.held_out, features, sizes.context).spread(WINDOWS_PER_SERIES)
    found = evaluate(model, trained, corpus.spread(WINDOWS_PER_SERIES), held_out, scored=SCORED)
    content = {"data": material.describe(), "sizes": shape, "schedule": asdict(schedule)}
    _record(
        out, "model", content | {"trained_until": trained_until, "evaluation": found.to_dict()} | _tuned_from(start)
    )
    return found


def _read_tokenizer(source: Path) -> tuple[KronosTokenizer, dict[str, Any]]:
    """A trained tokenizer and its settings."""
    if not source.is_dir():
        raise InputError(
            f"{source} is not a folder of a tokenizer; train one with stresslab train tokenizer, or name `tokenizer`"
        )
    return load_tokenizer(source), read_config(source)


def _check_bits(source: Path, trained: KronosTokenizer, config: TransformerConfig) -> None:
    """Refuse a tokenizer whose tokens the model does not read."""
    if (config.s1_bits, config.s2_bits) != (trained.s1_bits, trained.s2_bits):
        raise InputError(
            f"{source} writes {trained.s1_bits}+{trained.s2_bits} bits, the model to be tuned reads {config.s1_bits}+"
            f"{config.s2_bits}; tune its own tokenizer, or give another `out`"
        )


def _tokenizer_config(sizes: Sizes, features: Representation) -> TokenizerConfig:
    """A tokenizer of our own of these sizes."""
    return TokenizerConfig(
        d_in=features.width,
        d_model=sizes.tokenizer_width,
        ff_dim=2 * sizes.tokenizer_width,
        n_enc_layers=sizes.tokenizer_layers + 1,  # a published count of layers includes the linear one
        n_dec_layers=sizes.tokenizer_layers + 1,
        s1_bits=sizes.bits,
        s2_bits=sizes.bits,
        group_size=_group(2 * sizes.bits),
    )


def _model_config(sizes: Sizes, tokenizer: KronosTokenizer) -> TransformerConfig:
    """A transformer of our own of these sizes."""
    return TransformerConfig(
        s1_bits=tokenizer.s1_bits,
        s2_bits=tokenizer.s2_bits,
        n_layers=sizes.layers,
        d_model=sizes.width,
        n_heads=sizes.heads,
        ff_dim=2 * sizes.width,
        token_dropout_p=TOKEN_DROPOUT,
        coarse_residual=True,
    )


def _give_tokenizer(start: Checkpoint, folder: Path) -> None:
    """Write the tokenizer of the checkpoint that is tuned."""
    dated = {} if start.files.trained_until is None else {"trained_until": start.files.trained_until}
    save_tokenizer(start.tokenizer, folder, representation=start.representation.settings(), **dated)


def _identity(start: Checkpoint | None) -> dict[str, str] | None:
    """The hashes of the checkpoint that is tuned."""
    return None if start is None else dict(start.files.hashes)


def _tuned_from(start: Checkpoint | None) -> dict[str, Any]:
    """For the card: name, hashes and last date of the checkpoint that was tuned."""
    return {} if start is None else {"tuned_from": start.files.describe()}


def _later(*dates: Any) -> str:
    """The latest of the dates that are known: nothing after it was learned from, as far as anyone recorded."""
    return max(str(date) for date in dates if date)


def _chosen(sizes: Sizes, *names: str) -> dict[str, int]:
    """The sizes that one of the stages uses."""
    return {name: getattr(sizes, name) for name in names}


def _digest(series: Sequence[Bars]) -> str:
    """One SHA-256 over all series."""
    return hashlib.sha256("".join(bars.digest for bars in series).encode()).hexdigest()


def _weights_digest(folder: Path) -> str:
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()


def _claim(states: Path, learns_from: dict[str, Any]) -> None:
    """Record what a training learns from; refuse to go on where it began on something else."""
    path = states / LEARNS_FROM
    before = read_json(path) if path.is_file() else learns_from
    changed = [name for name in learns_from if before.get(name) != learns_from[name]]
    if changed:
        raise InputError(
            f"{states} holds a training that began with other {' and '.join(changed)}; repeat its settings to go on, "
            "or give another `out` to start again"
        )
    states.mkdir(parents=True, exist_ok=True)
    put_text(path, json.dumps(learns_from, indent=1) + "\n")


def _adopt(source: Path, own: Path) -> None:
    """Copy a trained tokenizer into the model's folder, unless it is there; another one there is left alone."""
    if own.is_dir() and _weights_digest(own) == _weights_digest(source):
        return
    if own.is_dir():
        raise InputError(f"{own} holds another tokenizer than {source}; leave `tokenizer` out, or give another `out`")
    own.mkdir(parents=True)
    for name in (CONFIG, WEIGHTS):
        put(own / name, partial(shutil.copyfile, source / name))


def _record(out: Path, part: str, content: dict[str, Any]) -> None:
    """Add what one stage was to the card."""
    path = out / CARD
    card = read_json(path) if path.is_file() else {}
    put_text(path, json.dumps(card | {part: content}, indent=1) + "\n")


def _group(bits: int) -> int:
    """The largest number of bits up to 5 that divides the code: the groups of the entropy term."""
    return max(size for size in range(1, 6) if bits % size == 0)
