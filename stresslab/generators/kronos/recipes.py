"""From bars and sizes to a folder that `Kronos(folder)` loads: the two stages of training, and the card they leave.

How one step of training works is `training`'s business, what a checkpoint looks like `checkpoint`'s.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from stresslab.data.bars import Bars
from stresslab.errors import InputError
from stresslab.generators.kronos.checkpoint import load_tokenizer, read_config, save_model, save_tokenizer
from stresslab.generators.kronos.corpus import Corpus, split
from stresslab.generators.kronos.evaluation import Evaluation, evaluate
from stresslab.generators.kronos.representation import Returns, representation
from stresslab.generators.kronos.tokenizer import KronosTokenizer, TokenizerConfig
from stresslab.generators.kronos.training import OnStep, Schedule, train_model, train_tokenizer, variance_gain
from stresslab.generators.kronos.transformer import KronosTransformer, TransformerConfig

CARD = "card.json"
STATES = "training"
"""Folder of the states that an interrupted training goes on from; a finished checkpoint does not need it."""
WINDOWS_PER_SERIES = 4
"""Windows of each series that are scored, at most."""
SCORED = 32
"""Bars scored at the end of a window, so that what is shuffled before them lies close to most of them."""
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
            if value < 1:
                raise InputError(f"{name}={value} is not a positive number; leave it out for the bundled model's size")
        if self.width % (4 * self.heads) or self.tokenizer_width % 8:
            raise InputError(
                f"width={self.width} is not a multiple of 4 x heads={self.heads}, or tokenizer_width="
                f"{self.tokenizer_width} not one of 8; choose for example width=192, heads=6, tokenizer_width=64"
            )
        if self.context < 32:
            raise InputError(f"context={self.context} is shorter than 32 bars; give for example --context 512")
        if not self.bits <= 12:
            raise InputError(f"bits={self.bits} makes vocabularies of 2^{self.bits}; at most 12 are supported")


@dataclass(frozen=True)
class Material:
    """Series to learn from and to be judged on, cut by date and by symbol.

    Attributes:
        training: bars before the cuts.
        held_out: bars of other symbols from the cuts on, with the context that they follow.
        cuts: end of the training data of each source.
    """

    training: list[Bars]
    held_out: list[Bars]
    cuts: dict[str, pd.Timestamp]

    @classmethod
    def of(cls, sources: Mapping[str, Sequence[Bars]], cuts: Mapping[str, pd.Timestamp], context: int) -> Material:
        """Cut the series of each source at its own date.

        Args:
            sources: series by the name of what they were loaded from.
            cuts: end of the training data by source; elsewhere the date that leaves a tenth of the bars after it.
            context: bars of a window.
        """
        training, held_out, chosen = [], [], {}
        for name, series in sources.items():
            chosen[name] = cuts[name] if name in cuts else _last_tenth(series)
            before, after = split(series, chosen[name], context - SCORED)
            training += before
            held_out += after
        long_enough = [bars for bars in held_out if len(bars) >= context]
        if not long_enough:
            raise InputError(
                f"no held-out series has the {context} bars of a window after the end of the training data; give more "
                "series, longer ones, or an earlier --cut"
            )
        return cls(training, long_enough, chosen)

    @property
    def trained_until(self) -> str:
        """Last date of the training data."""
        return str(max(self.cuts.values()).date())

    def describe(self) -> dict[str, Any]:
        """For the card: how many series and bars, from when to when."""
        return {
            "series": len(self.training),
            "bars": sum(len(bars) for bars in self.training),
            "start": str(min(bars.timestamps[0] for bars in self.training).date()),
            "cuts": {name: str(cut.date()) for name, cut in self.cuts.items()},
            "held_out_series": len(self.held_out),
        }


def make_tokenizer(
    material: Material,
    out: Path,
    sizes: Sizes,
    schedule: Schedule,
    *,
    device: str = "cpu",
    on_step: OnStep | None = None,
) -> Path:
    """Train a tokenizer over `Returns` and write it to `out/tokenizer`; an interrupted training goes on.

    Args:
        material: what to learn from.
        out: the checkpoint's folder.
        sizes: shape of the network.
        schedule: how long and how fast.
        device: where to train.
        on_step: called after every step.

    Returns:
        The tokenizer's folder.
    """
    corpus = Corpus(material.training, Returns(), sizes.context // 2)
    config = TokenizerConfig(
        d_in=Returns().width,
        d_model=sizes.tokenizer_width,
        ff_dim=2 * sizes.tokenizer_width,
        n_enc_layers=sizes.tokenizer_layers + 1,  # a published count of layers includes the linear one
        n_dec_layers=sizes.tokenizer_layers + 1,
        s1_bits=sizes.bits,
        s2_bits=sizes.bits,
        group_size=_group(2 * sizes.bits),
    )
    torch.manual_seed(schedule.seed)
    tokenizer = KronosTokenizer(config).to(device)
    train_tokenizer(tokenizer, corpus, schedule, out / STATES / "tokenizer", on_step)
    mean, gain = variance_gain(tokenizer.cpu(), corpus.spread(WINDOWS_PER_SERIES))
    settings = Returns(mean=tuple(mean), gain=tuple(gain)).settings()
    save_tokenizer(tokenizer, out / "tokenizer", representation=settings, trained_until=material.trained_until)
    _record(out, "tokenizer", {"data": material.describe(), "sizes": asdict(sizes), "schedule": asdict(schedule)})
    return out / "tokenizer"


def make_model(
    material: Material,
    out: Path,
    sizes: Sizes,
    schedule: Schedule,
    *,
    tokenizer: Path | None = None,
    device: str = "cpu",
    on_step: OnStep | None = None,
) -> Evaluation:
    """Train a transformer on a tokenizer's tokens, write it to `out/model`, and score it on the held-out series.

    Args:
        material: what to learn from and to be judged on.
        out: the checkpoint's folder, which holds `tokenizer/` unless another is given; an interrupted training goes on.
        sizes: shape of the network.
        schedule: how long and how fast.
        tokenizer: folder of a trained tokenizer; it is copied into `out`.
        device: where to train.
        on_step: called after every step.

    Returns:
        The losses, which the card in `out` records too.
    """
    if tokenizer is not None:
        shutil.copytree(tokenizer, out / "tokenizer", dirs_exist_ok=True)
    trained = load_tokenizer(out / "tokenizer").to(device)
    features = representation(read_config(out / "tokenizer").get("representation"))
    corpus = Corpus(material.training, features, sizes.context)
    config = TransformerConfig(
        s1_bits=trained.s1_bits,
        s2_bits=trained.s2_bits,
        n_layers=sizes.layers,
        d_model=sizes.width,
        n_heads=sizes.heads,
        ff_dim=2 * sizes.width,
        token_dropout_p=TOKEN_DROPOUT,
        coarse_residual=True,
    )
    torch.manual_seed(schedule.seed)
    model = KronosTransformer(config).to(device)
    train_model(model, trained, corpus, schedule, out / STATES / "model", on_step)
    model, trained = model.cpu().eval(), trained.cpu()
    save_model(model, out / "model", max_context=sizes.context, trained_until=material.trained_until)
    held_out = Corpus(material.held_out, features, sizes.context).spread(WINDOWS_PER_SERIES)
    found = evaluate(model, trained, corpus.spread(WINDOWS_PER_SERIES), held_out, scored=SCORED)
    described = {"data": material.describe(), "sizes": asdict(sizes), "schedule": asdict(schedule)}
    _record(out, "model", described | {"evaluation": found.to_dict()})
    return found


def _record(out: Path, part: str, content: dict[str, Any]) -> None:
    """Add what one stage was to the card."""
    path = out / CARD
    card = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.write_text(json.dumps(card | {part: content}, indent=1) + "\n", encoding="utf-8")


def _last_tenth(series: Sequence[Bars]) -> pd.Timestamp:
    """The day that leaves a tenth of all bars after it."""
    stamps = np.concatenate([bars.timestamps.to_numpy() for bars in series])
    return pd.Timestamp(np.sort(stamps)[int(0.9 * len(stamps))]).normalize()


def _group(bits: int) -> int:
    """The largest number of bits up to 5 that divides the code: the groups of the entropy term."""
    return max(size for size in range(1, 6) if bits % size == 0)
