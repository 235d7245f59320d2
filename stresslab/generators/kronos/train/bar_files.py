"""What a training starts from: the sizes of its networks, and series cut by date and by symbol.

`presets` trains on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from stresslab.core.errors import InputError
from stresslab.data.bars import Bars
from stresslab.generators.kronos.checkpoint import Checkpoint
from stresslab.generators.kronos.train.windows import count_interruptions, segments, spared_symbols, split

SCORED = 32
"""Bars scored at the end of a window, so that what is shuffled before them lies close to most of them."""
LARGEST = 2**15
"""Largest size; a checkpoint whose feed-forward networks are twice as wide can still be loaded."""


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
            raise InputError(f"context={self.context} is shorter than {2 * SCORED} bars; give say `context=512`")
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
            "context": start.files.max_context,
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
                    f"{name}={value} contradicts {start.files.name}, whose {name} is {own[name]}; leave it out, or "
                    "train from nothing without `start`"
                )
        try:
            return cls(**(own | dict(given)))
        except InputError as error:
            raise InputError(f"{start.files.name} cannot be tuned: {error}") from None


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
                "series, longer ones, an earlier `cut`, or a shorter `context`"
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


def _last_tenth(series: Sequence[Bars]) -> pd.Timestamp:
    """The day that leaves a tenth of all bars after it."""
    stamps = np.concatenate([bars.timestamps.to_numpy() for bars in series])
    return pd.Timestamp(np.sort(stamps)[int(0.9 * len(stamps))]).normalize()


def _count(parts: Sequence[Bars]) -> int:
    """Number of series that segments are of."""
    return len({(bars.source, bars.symbol) for bars in parts})
