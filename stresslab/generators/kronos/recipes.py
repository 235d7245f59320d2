"""From bars and sizes to a folder that `Kronos(folder)` loads: the two stages of training, and the card they leave.

How one step of training works is `training`'s business, what a checkpoint looks like `checkpoint`'s.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from stresslab.data.bars import Bars
from stresslab.errors import InputError
from stresslab.generators.kronos.checkpoint import (
    CONFIG,
    WEIGHTS,
    Checkpoint,
    load_tokenizer,
    read_config,
    read_json,
    save_model,
    save_tokenizer,
)
from stresslab.generators.kronos.corpus import Corpus, count_interruptions, segments, spared_symbols, split
from stresslab.generators.kronos.device import find_device
from stresslab.generators.kronos.evaluation import Evaluation, evaluate
from stresslab.generators.kronos.representation import Representation, Returns, representation
from stresslab.generators.kronos.tokenizer import KronosTokenizer, TokenizerConfig
from stresslab.generators.kronos.training import OnStep, Schedule, train_model, train_tokenizer, variance_gain
from stresslab.generators.kronos.transformer import KronosTransformer, TransformerConfig

CARD = "card.json"
LEARNS_FROM = "learns-from.json"
STATES = "training"
"""Folder of the states that an interrupted training goes on from; a finished checkpoint does not need it."""
WINDOWS_PER_SERIES = 4
"""Windows of each series that are scored, at most."""
SCORED = 32
"""Bars scored at the end of a window, so that what is shuffled before them lies close to most of them."""
LARGEST = 2**15
"""Largest size; a checkpoint whose feed-forward networks are twice as wide can still be loaded."""
TOKEN_DROPOUT = 0.1
"""Share of embedded channels dropped while training."""


@dataclass(frozen=True)
class Sizes:
    """Shape of the networks; the defaults are those of the bundled model.

    Attributes:
        context: bars of a training window, and the model's window when it samples.
        bits: bits of the coarse token, and of the fine one.
        tokenizer_width: the tokenizer's d_model.
        tokenizer_layers: blocks on each side of its quantizer.
        width: the transformer's d_model.
        layers: the transformer's blocks.
        heads: its attention heads; the tokenizer has 4.
    """

    context: int = 512
    bits: int = 10
    tokenizer_width: int = 64
    tokenizer_layers: int = 2
    width: int = 192
    layers: int = 4
    heads: int = 6

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have."""
        for name, value in asdict(self).items():
            if not 1 <= value <= LARGEST:
                raise InputError(f"{name}={value} is outside [1, {LARGEST:,}]; leave it out for the bundled model's")
        if self.width % (4 * self.heads) or self.tokenizer_width % 8:
            raise InputError(
                f"width={self.width} is not a multiple of 4 x heads={self.heads}, or tokenizer_width="
                f"{self.tokenizer_width} not one of 8; choose for example width=192, heads=6, tokenizer_width=64"
            )
        if self.context < 2 * SCORED:
            raise InputError(f"context={self.context} is shorter than {2 * SCORED} bars; give say --context 512")
        if self.bits > 12:
            raise InputError(f"bits={self.bits} makes vocabularies of 2^{self.bits}; at most 12 are supported")

    @classmethod
    def of(cls, start: Checkpoint, given: Mapping[str, int]) -> Sizes:
        """The sizes of a checkpoint that is to be tuned.

        Args:
            start: the checkpoint.
            given: sizes that were asked for: they must be the checkpoint's own, but for a shorter `context`, which
                makes the training windows shorter and leaves the model's window as it is.
        """
        own = {
            "context": start.max_context,
            "bits": start.model.s1_bits,
            "tokenizer_width": start.tokenizer.config.d_model,
            "tokenizer_layers": start.tokenizer.config.n_enc_layers - 1,
            "width": start.model.config.d_model,
            "layers": start.model.config.n_layers,
            "heads": start.model.config.n_heads,
        }
        for name, value in given.items():
            if value != own[name] and not (name == "context" and value < own[name]):
                raise InputError(
                    f"{name}={value} contradicts {start.name}, whose {name} is {own[name]}; leave it out, or train "
                    "from nothing without --from"
                )
        try:
            return cls(**(own | dict(given)))
        except InputError as error:
            raise InputError(f"{start.name} cannot be tuned: {error}") from None


@dataclass(frozen=True)
class Material:
    """Series to learn from and to be judged on, cut by date and by symbol.

    Symbols are held out across all sources: none is learned in one and judged in another. Where there are too few to
    spare any, each is judged from the latest cut of the sources that hold it. Dates are per source: one that is cut
    earlier is judged on days on which other symbols of other sources were learned, so a held-out loss there speaks for
    unseen symbols, and only from the latest cut on for unseen days as well.

    Attributes:
        training: bars before the cuts.
        held_out: bars of other symbols from the cuts on, with the context that they follow.
        cuts: end of the training data of each source.
        interrupted: gaps and jumps at which series were cut into segments, and bars left out since nothing moved.
        skipped: why files or symbols were left out, one line each.
    """

    training: list[Bars]
    held_out: list[Bars]
    cuts: dict[str, pd.Timestamp]
    interrupted: Mapping[str, int] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        sources: Mapping[str, Sequence[Bars]],
        cuts: Mapping[str, pd.Timestamp],
        context: int,
        skipped: Sequence[str] = (),
    ) -> Material:
        """Cut each series into segments where it is interrupted, and those of each source at its own date.

        Args:
            sources: series by the name of what they were loaded from.
            cuts: end of the training data by source; elsewhere the date that leaves a tenth of the bars after it.
            context: bars of a window.
            skipped: why files or symbols were left out.
        """
        for name, series in sources.items():
            if not series:
                raise InputError(f"{name} holds no series; give a file or a folder that does")
        interrupted = count_interruptions([bars for series in sources.values() for bars in series])
        chosen = {name: cuts[name] if name in cuts else _last_tenth(series) for name, series in sources.items()}
        sources = {name: [part for bars in series for part in segments(bars)] for name, series in sources.items()}
        spared = spared_symbols([bars for series in sources.values() for bars in series])
        latest: dict[str, pd.Timestamp] = {}
        for name, series in sources.items():
            latest |= {bars.symbol: max(chosen[name], latest.get(bars.symbol, chosen[name])) for bars in series}
        training: list[Bars] = []
        held_out: list[Bars] = []
        for name, series in sources.items():
            training += split(series, chosen[name], context - SCORED, spared=spared)[0]
            for cut in sorted({latest[bars.symbol] for bars in series}):
                judged = [bars for bars in series if latest[bars.symbol] == cut]
                held_out += split(judged, cut, context - SCORED, spared=spared)[1]
        long_enough = [bars for bars in held_out if len(bars) >= context]
        if not long_enough:
            raise InputError(
                f"no held-out series has the {context} bars of a window after the end of the training data; give more "
                "series, longer ones, an earlier --cut, or a shorter --context"
            )
        return cls(training, long_enough, chosen, interrupted, tuple(skipped))

    @property
    def trained_until(self) -> str:
        """Last date of the training data: bars before the latest of the cuts were learned from."""
        return str((max(self.cuts.values()) - pd.Timedelta(1, unit="ns")).date())

    def describe(self) -> dict[str, Any]:
        """For the card: how many series and bars, from when to when, and what was cut or left out."""
        return {
            "series": _count(self.training),
            "segments": len(self.training),
            "bars": sum(len(bars) for bars in self.training),
            "start": str(min(bars.timestamps[0] for bars in self.training).date()),
            "cuts": {name: str(cut.date()) for name, cut in self.cuts.items()},
            "held_out_series": _count(self.held_out),
            "interrupted": dict(self.interrupted),
            "skipped": list(self.skipped),
        }


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
    trained_until = _later(material.trained_until, start and start.trained_until)
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
    source, where = tokenizer or out / "tokenizer", find_device(device)
    if start is not None and tokenizer is None and not source.is_dir():
        Corpus(material.training, start.representation, sizes.context)  # refused before anything is written
        _give_tokenizer(start, source)
    if not source.is_dir():
        raise InputError(
            f"{source} is no folder of a tokenizer; train one first with stresslab train tokenizer, or name --tokenizer"
        )
    trained, settings = load_tokenizer(source).to(where), read_config(source)
    features = representation(settings.get("representation"))
    corpus = Corpus(material.training, features, sizes.context)
    config = _model_config(sizes, trained) if start is None else start.model.config
    if (config.s1_bits, config.s2_bits) != (trained.s1_bits, trained.s2_bits):
        raise InputError(
            f"{source} writes {trained.s1_bits}+{trained.s2_bits} bits, the model to be tuned reads {config.s1_bits}+"
            f"{config.s2_bits}; tune its own tokenizer, or give another --out"
        )
    _adopt(source, out / "tokenizer")
    shape = _chosen(sizes, "context", "width", "layers", "heads")
    learns_from = {
        "bars": _digest(material.training),
        "sizes": shape,
        "tokenizer": _weights_digest(source),
        "starting weights": _identity(start),
    }
    _claim(out / STATES / "model", learns_from)
    torch.manual_seed(schedule.seed)
    model = KronosTransformer(config)
    if start is not None:
        model.load_state_dict(start.model.state_dict())
    train_model(model.to(where), trained, corpus, schedule, out / STATES / "model", on_step)
    model, trained = model.cpu().eval(), trained.cpu()
    trained_until = _later(material.trained_until, settings.get("trained_until"), start and start.trained_until)
    window = sizes.context if start is None else start.max_context
    save_model(model, out / "model", max_context=window, trained_until=trained_until)
    held_out = Corpus(material.held_out, features, sizes.context).spread(WINDOWS_PER_SERIES)
    found = evaluate(model, trained, corpus.spread(WINDOWS_PER_SERIES), held_out, scored=SCORED)
    content = {"data": material.describe(), "sizes": shape, "schedule": asdict(schedule)}
    _record(
        out, "model", content | {"trained_until": trained_until, "evaluation": found.to_dict()} | _tuned_from(start)
    )
    return found


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
    dated = {} if start.trained_until is None else {"trained_until": start.trained_until}
    save_tokenizer(start.tokenizer, folder, representation=start.representation.settings(), **dated)


def _identity(start: Checkpoint | None) -> dict[str, str] | None:
    """The hashes of the checkpoint that is tuned."""
    return None if start is None else dict(start.hashes)


def _tuned_from(start: Checkpoint | None) -> dict[str, Any]:
    """For the card: name, hashes and last date of the checkpoint that was tuned."""
    return {} if start is None else {"tuned_from": start.describe()}


def _later(*dates: Any) -> str:
    """The latest of the dates that are known: nothing after it was learned from, as far as anyone recorded."""
    return max(str(date) for date in dates if date)


def _count(parts: Sequence[Bars]) -> int:
    """Number of series that segments are of."""
    return len({(bars.source, bars.symbol) for bars in parts})


def _chosen(sizes: Sizes, *names: str) -> dict[str, int]:
    """The sizes that one of the stages uses."""
    return {name: getattr(sizes, name) for name in names}


def _digest(series: Sequence[Bars]) -> str:
    """One SHA-256 over all series."""
    return hashlib.sha256("".join(bars.digest for bars in series).encode()).hexdigest()


def _weights_digest(folder: Path) -> str:
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()


def _claim(states: Path, learns_from: dict[str, Any]) -> None:
    """Record what a training learns from; refuse to go on with one that began on something else."""
    path = states / LEARNS_FROM
    before = read_json(path) if path.is_file() else learns_from
    changed = [name for name in learns_from if before.get(name) != learns_from[name]]
    if changed:
        raise InputError(
            f"{states} holds a training that began with other {' and '.join(changed)}; repeat its settings to go on, "
            "or give another --out to start anew"
        )
    states.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(learns_from, indent=1) + "\n", encoding="utf-8")


def _adopt(source: Path, own: Path) -> None:
    """Copy a trained tokenizer into the model's folder, unless it is there; another one there is left alone."""
    if own.is_dir() and _weights_digest(own) == _weights_digest(source):
        return
    if own.is_dir():
        raise InputError(f"{own} holds another tokenizer than {source}; leave --tokenizer out, or give another --out")
    own.mkdir(parents=True)
    for name in (CONFIG, WEIGHTS):
        shutil.copyfile(source / name, own / name)


def _record(out: Path, part: str, content: dict[str, Any]) -> None:
    """Add what one stage was to the card."""
    path = out / CARD
    card = read_json(path) if path.is_file() else {}
    path.write_text(json.dumps(card | {part: content}, indent=1) + "\n", encoding="utf-8")


def _last_tenth(series: Sequence[Bars]) -> pd.Timestamp:
    """The day that leaves a tenth of all bars after it."""
    stamps = np.concatenate([bars.timestamps.to_numpy() for bars in series])
    return pd.Timestamp(np.sort(stamps)[int(0.9 * len(stamps))]).normalize()


def _group(bits: int) -> int:
    """The largest number of bits up to 5 that divides the code: the groups of the entropy term."""
    return max(size for size in range(1, 6) if bits % size == 0)
