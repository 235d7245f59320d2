"""What a trained Kronos is worth on unseen bars: teacher-forced loss against a unigram and against a shuffled past.

The fine token is scored given the true coarse one, which is the factor of the joint probability that the sampler uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stresslab.generators.kronos.tokenizer import KronosTokenizer
from stresslab.generators.kronos.train.windows import Batch
from stresslab.generators.kronos.transformer import KronosTransformer

Tokens = tuple[torch.Tensor, torch.Tensor]
CHUNK = 16


@dataclass(frozen=True)
class Difference:
    """A mean difference in nats per bar, with its bootstrap interval clustered by series."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """Losses in nats per bar (coarse + fine), over the last bars of held-out windows.

    Attributes:
        windows: number of windows.
        series: number of series that they come from.
        loss: the model's.
        coarse: the coarse part of it.
        fine: the fine part of it.
        unigram: loss of the token frequencies of the training data.
        shuffled: the model's loss when the bars of the context are shuffled.
        below_unigram: unigram - loss.
        above_when_shuffled: shuffled - loss.
    """

    windows: int
    series: int
    loss: float
    coarse: float
    fine: float
    unigram: float
    shuffled: float
    below_unigram: Difference
    above_when_shuffled: Difference

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def evaluate(
    model: KronosTransformer,
    tokenizer: KronosTokenizer,
    training: Batch,
    held_out: Batch,
    *,
    scored: int = 32,
    seed: int = 0,
) -> Evaluation:
    """Score a model on held-out windows.

    Args:
        model: in eval mode.
        tokenizer: in eval mode.
        training: windows of the training data, for the token frequencies.
        held_out: windows of unseen series.
        scored: bars scored at the end of each window; those before them are the context, which is shuffled.
        seed: of the shuffling and the bootstrap.
    """
    rng = np.random.default_rng(seed)
    seen, unseen = encode(tokenizer, training), encode(tokenizer, held_out)
    coarse, fine = token_losses(model, unseen, held_out.stamps, scored)
    order = torch.from_numpy(rng.permutation(held_out.stamps.shape[1] - scored))
    rest = torch.arange(len(order), held_out.stamps.shape[1])
    shuffled_tokens = tuple(tokens[:, torch.cat([order, rest])] for tokens in unseen)
    shuffled = sum(token_losses(model, (shuffled_tokens[0], shuffled_tokens[1]), held_out.stamps, scored))
    unigram = unigram_losses(seen, unseen, model.s1_bits, model.s2_bits)[:, -scored:]
    loss = (coarse + fine).mean(axis=1)
    return Evaluation(
        windows=len(held_out.series),
        series=len(np.unique(held_out.series)),
        loss=float(loss.mean()),
        coarse=float(coarse.mean()),
        fine=float(fine.mean()),
        unigram=float(unigram.mean()),
        shuffled=float(np.mean(shuffled)),
        below_unigram=_clustered(unigram.mean(axis=1) - loss, held_out.series, rng),
        above_when_shuffled=_clustered(np.mean(shuffled, axis=1) - loss, held_out.series, rng),
    )


def encode(tokenizer: KronosTokenizer, batch: Batch) -> Tokens:
    """Coarse and fine tokens (B, L) of a batch."""
    with torch.no_grad():
        parts = [
            tokenizer.encode(torch.from_numpy(batch.features[rows]), half=True) for rows in _rows(len(batch.series))
        ]
    return torch.cat([coarse for coarse, _ in parts]), torch.cat([fine for _, fine in parts])


def token_losses(
    model: KronosTransformer, tokens: Tokens, stamps: NDArray[np.int64], targets: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cross-entropy of the last `targets` bars, each given all bars before it.

    Args:
        model: in eval mode.
        tokens: coarse and fine (B, L).
        stamps: (B, L, 5).
        targets: number of bars scored.

    Returns:
        Coarse and fine losses (B, targets), in nats.
    """
    coarse_losses: list[NDArray[np.float64]] = []
    fine_losses: list[NDArray[np.float64]] = []
    with torch.no_grad():
        for rows in _rows(len(stamps)):
            coarse, fine = tokens[0][rows], tokens[1][rows]
            marks = torch.from_numpy(stamps[rows, :-1])
            logits = model(coarse[:, :-1], fine[:, :-1], marks, s1_targets=coarse[:, 1:])
            for logit, token, losses in zip(logits, (coarse, fine), (coarse_losses, fine_losses), strict=True):
                loss = torch.nn.functional.cross_entropy(
                    logit[:, -targets:].flatten(0, 1), token[:, -targets:].flatten(), reduction="none"
                )
                losses.append(loss.view(-1, targets).double().numpy())
    return np.concatenate(coarse_losses), np.concatenate(fine_losses)


def unigram_losses(seen: Tokens, unseen: Tokens, coarse_bits: int, fine_bits: int) -> NDArray[np.float64]:
    """Loss (B, L) of frequencies counted on `seen`, each count plus one: coarse, and fine given coarse.

    Where pairs are too rare for that to help, fine tokens' own frequencies serve: the lower mean loss is returned, so
    that a model is compared with the better baseline.
    """
    coarse_size, fine_size = 2**coarse_bits, 2**fine_bits
    pairs = np.ones((coarse_size, fine_size))
    np.add.at(pairs, (seen[0].flatten().numpy(), seen[1].flatten().numpy()), 1.0)
    counts = np.bincount(seen[0].flatten().numpy(), minlength=coarse_size) + 1.0
    fines = np.bincount(seen[1].flatten().numpy(), minlength=fine_size) + 1.0
    coarse, fine = unseen[0].numpy(), unseen[1].numpy()
    first = -np.log(counts[coarse] / counts.sum())
    given = -np.log(pairs[coarse, fine] / pairs.sum(axis=1)[coarse])
    alone = -np.log(fines[fine] / fines.sum())
    return first + (given if given.mean() < alone.mean() else alone)


def _clustered(differences: NDArray[np.float64], series: NDArray[np.int64], rng: np.random.Generator) -> Difference:
    """Mean and 95% percentile interval by resampling whole series (Cameron, Gelbach & Miller 2008)."""
    groups = [differences[series == which] for which in np.unique(series)]
    sums, sizes = np.array([group.sum() for group in groups]), np.array([len(group) for group in groups])
    drawn = rng.integers(len(groups), size=(2000, len(groups)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Difference(float(differences.mean()), float(low), float(high))


def _rows(count: int) -> Iterator[slice]:
    for start in range(0, count, CHUNK):
        yield slice(start, start + CHUNK)
