"""One stream of uniforms per (seed, universe): a counter-based generator, so a number depends on its address alone.

Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3") maps a 128-bit counter
and a 64-bit key to four 32-bit words. The key is the run's seed, the counter is (universe id, step, block of draws,
stream): batching, order and workers cannot change a number. `Stream` is the table of what numbers are used for.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, unique

import numpy as np
from numpy.typing import NDArray

from stresslab.core.errors import InputError

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_MASK = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ROUNDS = 10
WORDS = 4


@unique
class Stream(IntEnum):
    """What random numbers are used for: no two purposes share a stream.

    Members marked (seeds) give `derive` a seed for each part of a larger piece of work, (generator) one to numpy's own
    generator; the others are streams of `uniforms`.
    """

    SAMPLER = 0
    """A run's universes. Other generators and other settings share it, so that chance does not tell them apart."""
    COMMON_DRIFT = 1
    """Reference draws that Kronos' drift is measured on; their seed is fixed, since the drift is the model's own."""
    SHORTFALL = 101
    """Bootstrap of expected shortfall."""
    PERMUTATION = 102
    """Random orders of real bars."""
    FINGERPRINT = 103
    """Probes that tell bars apart in the ledger; their seed is fixed, since runs are compared by them."""
    EDGE = 104
    """Each universe's draw from the posterior of the edge."""
    DEPENDENCE = 301
    """How the symbols of a market move together."""
    COUPLING = 302
    """Each symbol's own numbers where Kronos samples several."""
    SYMBOL = 304
    """Universes of each symbol of a market after the first (seeds)."""
    PILOT = 303
    """Pilot samples that the dependence of Kronos' symbols is fitted on; their seed is fixed."""
    REALISM = 105
    """Universes at each past origin (seeds)."""
    JOINT_REALISM = 106
    """The same of a whole market (seeds)."""
    WALK_FORWARD = 107
    """Universes of each fold of a walk-forward test (seeds)."""
    TEMPERATURE = 403
    """Fitting a temperature (seeds)."""
    GENERATOR_SWEEP = 404
    """Realism of other settings of the generator (seeds)."""
    CUTS = 405
    """What temperature and top-p cut from the tails (seeds)."""
    CLUSTERS = 501
    """Bootstrap of whole clusters (generator)."""
    FACTS = 502
    """Bootstrap of stylized facts (generator)."""
    CUT_RATIOS = 503
    """Bootstrap of what was cut from the tails (generator)."""
    KELLY = 504
    """Bootstrap of the size of best growth (generator)."""
    TRADE_PLACES = 505
    """Times at which the trades of a list are put that know nothing (generator)."""
    TRADE_BLOCKS = 506
    """Trades of a list, drawn in blocks."""
    LOOKAHEAD_CUTS = 601
    """Bars after which the look-ahead check takes the rest away (generator)."""
    LOOKAHEAD_FUTURES = 602
    """Bars that it puts in their place (generator)."""
    LOOKAHEAD_SEAM = 603
    """Bars that it puts after the last one (generator)."""
    LOOKAHEAD_JITTER = 604
    """Rounding that it tries decisions against (generator)."""
    CHAINED_PATHS = 977
    """Which universe of each fold stands in a chained path (generator)."""


def philox(counter: Sequence[NDArray[np.uint64]], key: tuple[int, int]) -> list[NDArray[np.uint64]]:
    """Philox4x32-10 of broadcastable counter words.

    Args:
        counter: four arrays of 32-bit words held in uint64, least significant first.
        key: two 32-bit words.

    Returns:
        Four arrays of 32-bit words held in uint64, in the broadcast shape of the counter.
    """
    c0, c1, c2, c3 = np.broadcast_arrays(*counter)
    k0, k1 = key
    for _ in range(_ROUNDS):
        first, second = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (second >> _HALF) ^ c1 ^ np.uint64(k0),
            second & _MASK,
            (first >> _HALF) ^ c3 ^ np.uint64(k1),
            first & _MASK,
        )
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return [c0, c1, c2, c3]


def check_seed(seed: int) -> int:
    """The seed itself when it is a whole number that fits the key."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise InputError(f"seed={seed!r} is not a whole number in [0, 2^64); give for example `seed=7`")
    return int(seed)


def derive(seed: int, stream: Stream, number: int = 0) -> int:
    """A seed of its own for part `number` of a purpose: 64 bits of Philox, so that neighbours share nothing.

    Args:
        seed: of the run.
        stream: what the numbers are used for.
        number: which part, such as a fold or an origin.
    """
    seed = check_seed(seed)
    counter = [np.array([word], dtype=np.uint64) for word in (number, 0, 0, int(stream))]
    first, second, _, _ = philox(counter, (seed & 0xFFFFFFFF, seed >> 32))
    return int(first[0]) | int(second[0]) << 32


def uniforms(
    seed: int,
    ids: Sequence[int] | NDArray[np.integer],
    steps: int,
    draws: int,
    *,
    first_step: int = 0,
    first_draw: int = 0,
    stream: Stream = Stream.SAMPLER,
) -> NDArray[np.float64]:
    """Uniforms in the open interval (0, 1), addressed by universe, step and draw.

    Args:
        seed: the run's seed, a whole number in [0, 2^64).
        ids: universe ids (N,), each in [0, 2^32).
        steps: number of steps.
        draws: numbers per step.
        first_step: step of the first column; `uniforms(..., first_step=k)` continues where `steps=k` ended.
        first_draw: draw of the first number of each step, a multiple of `WORDS`; likewise.
        stream: what they are used for.

    Returns:
        (N, steps, draws) float64; 32 random bits each, the midpoint of its cell, so never 0 or 1.
    """
    seed = check_seed(seed)
    universe = np.asarray(ids, dtype=np.uint64).reshape(-1, 1, 1)
    step = np.arange(first_step, first_step + steps, dtype=np.uint64).reshape(1, -1, 1)
    blocks = -(-draws // WORDS)
    block = np.arange(first_draw // WORDS, first_draw // WORDS + blocks, dtype=np.uint64).reshape(1, 1, -1)
    words = philox((universe, step, block, np.array(int(stream), dtype=np.uint64)), (seed & 0xFFFFFFFF, seed >> 32))
    bits = np.stack(words, axis=-1).reshape(len(universe), steps, blocks * WORDS)[..., :draws]  # (N, steps, draws)
    return (bits.astype(np.float64) + 0.5) / 2.0**32


def numpy_generator(seed: int, stream: Stream) -> np.random.Generator:
    """Numpy's own generator for a purpose, where numbers need no address."""
    return np.random.default_rng([check_seed(seed), int(stream)])
