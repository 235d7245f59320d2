"""One stream of uniforms per (seed, universe): a counter-based generator, so a number depends on its address alone.

Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3") maps a 128-bit counter
and a 64-bit key to four 32-bit words. The key is the run's seed, the counter is (universe id, step, block of draws,
stream): batching, order and workers cannot change a number. Callers decide what the numbers are used for.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from stresslab.core.errors import InputError


class Stream(IntEnum):
    """What random numbers are used for; no two purposes share a stream, so none can lean on another's numbers."""

    SAMPLER = 0
    COMMON_DRIFT = 1
    SHORTFALL = 101
    PERMUTATION = 102
    FINGERPRINT = 103
    EDGE = 104
    REALISM = 105
    JOINT_REALISM = 106
    WALK_FORWARD = 107
    DEPENDENCE = 301
    COUPLING = 302
    PILOT = 303
    CHAINED_PATHS = 977


_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_MASK = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ROUNDS = 10
WORDS = 4


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
    stream: int = Stream.SAMPLER,
) -> NDArray[np.float64]:
    """Uniforms in the open interval (0, 1), addressed by universe, step and draw.

    Args:
        seed: the run's seed, a whole number in [0, 2^64).
        ids: universe ids (N,), each in [0, 2^32).
        steps: number of steps.
        draws: numbers per step.
        first_step: step of the first column; `uniforms(..., first_step=k)` continues where `steps=k` ended.
        first_draw: draw of the first number of each step, a multiple of `WORDS`; likewise.
        stream: what the numbers are used for.

    Returns:
        (N, steps, draws) float64; 32 random bits each, the midpoint of its cell, so never 0 or 1.
    """
    seed = check_seed(seed)
    universe = np.asarray(ids, dtype=np.uint64).reshape(-1, 1, 1)
    step = np.arange(first_step, first_step + steps, dtype=np.uint64).reshape(1, -1, 1)
    blocks = -(-draws // WORDS)
    block = np.arange(first_draw // WORDS, first_draw // WORDS + blocks, dtype=np.uint64).reshape(1, 1, -1)
    words = philox((universe, step, block, np.array(stream, dtype=np.uint64)), (seed & 0xFFFFFFFF, seed >> 32))
    bits = np.stack(words, axis=-1).reshape(len(universe), steps, blocks * WORDS)[..., :draws]  # (N, steps, draws)
    return (bits.astype(np.float64) + 0.5) / 2.0**32
