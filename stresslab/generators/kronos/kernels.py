"""The functions of `attention` that go on bar by bar, compiled for the CPU, where they wait for memory.

Keys and values lie position by position, so that they are read from end to end. Numbers are float32, or bfloat16 as
16-bit integers: numba has no such type. Shapes: N universes, H heads, E head width, L shared positions, S own ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray
from torch import Tensor


def turn(qkv: Tensor, cos: Tensor, sin: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """See `attention.turn`."""
    queries = torch.empty(keys.shape)
    _turn(array(qkv), array(cos), array(sin), array(queries), array(keys), array(values))
    return queries


def attend(queries: Tensor, keys: Tensor, values: Tensor, shared: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """See `attention.attend`; overwrites the scores of the shared positions with their weights."""
    heads, count, width = queries.shape
    pairs, filled = heads * count, len(keys)
    mixed, scale = torch.empty(queries.shape), torch.empty(heads, count)
    _attend(
        array(queries.view(pairs, width)),
        array(keys.view(filled, pairs, width)),
        array(values.view(filled, pairs, width)),
        array(shared.flatten(0, 1)),
        np.empty((pairs, filled), dtype=np.float32),
        array(mixed.view(pairs, width)),
        array(scale.view(pairs)),
    )
    return mixed, shared, scale


def merge(own: Tensor, shared: Tensor, scale: Tensor) -> Tensor:
    """See `attention.merge`."""
    heads, count, width = own.shape
    mixed = shared.new_empty(count, heads, width)
    _merge(array(own), array(shared), array(scale), array(mixed))
    return mixed.flatten(1)


def array(tensor: Tensor) -> NDArray[Any]:
    """A tensor of the CPU as an array over the same memory; bfloat16 as the 16 bits of each number."""
    made: NDArray[Any] = (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return made


# --------------------------------------------------------------------------------------------------------- compiled

F = np.float32
_FAST = {"contract", "reassoc", "nsz"}
_LOG2_E, _LN2_HIGH, _LN2_LOW = F(1.44269504088896341), F(0.693359375), F(-2.12194440e-4)
_C2, _C3, _C4, _C5, _C6, _C7 = (
    *(F(5.0000001201e-1), F(1.6666665459e-1), F(4.1665795894e-2)),
    *(F(8.3334519073e-3), F(1.3981999507e-3), F(1.9875691500e-4)),
)


@intrinsic
def _float(context: Any, bits: Any) -> Any:
    """The float32 of these 32 bits."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def wide(context: Any, number: Any) -> Any:
    """A float32 itself, or the float32 of a bfloat16's 16 bits."""

    def generate(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if signature.args[0] == types.float32:
            return arguments[0]
        word = builder.zext(arguments[0], ir.IntType(32))
        return builder.bitcast(builder.shl(word, ir.Constant(ir.IntType(32), 16)), ir.FloatType())

    return types.float32(number), generate


@intrinsic
def narrow(context: Any, number: Any, like: Any) -> Any:
    """A float32 in the type of `like`: itself, or the 16 bits of the nearest bfloat16, ties to even."""

    def generate(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if signature.return_type == types.float32:
            return arguments[0]
        word = ir.IntType(32)
        bits = builder.bitcast(arguments[0], word)
        upper = builder.lshr(bits, ir.Constant(word, 16))
        odd = builder.and_(upper, ir.Constant(word, 1))
        rounded = builder.add(bits, builder.add(odd, ir.Constant(word, 0x7FFF)))
        return builder.trunc(builder.lshr(rounded, ir.Constant(word, 16)), ir.IntType(16))

    return like(types.float32, like), generate


@intrinsic
def larger(context: Any, one: Any, other: Any) -> Any:
    """The larger of two float32, neither NaN: marked so, as numba's own is not, to be computed for many at once."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        flags = ("nnan", "nsz")
        return builder.select(builder.fcmp_ordered(">", *arguments, flags=flags), *arguments, flags=flags)

    return types.float32(types.float32, types.float32), generate


@njit(inline="always", fastmath={"contract"})
def exponential(x: Any) -> Any:
    """exp(x) of a float32 up to 0, to 1e-7 (Cephes): a polynomial that the compiler computes in parallel."""
    x = max(x, F(-87.0))
    n = np.floor(x * _LOG2_E + F(0.5))
    r = x - n * _LN2_HIGH - n * _LN2_LOW
    tail = (((((_C7 * r + _C6) * r + _C5) * r + _C4) * r + _C3) * r + _C2) * r * r + r + F(1.0)
    return tail * _float((np.int32(n) + np.int32(127)) << np.int32(23))


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _turn(qkv: Any, cos: Any, sin: Any, queries: Any, keys: Any, values: Any) -> None:
    """Write rotated queries and keys, and values (H, N, E), of one position of qkv (N, 3, H, E)."""
    count, _, heads, width = qkv.shape
    half = width // 2
    for h in range(heads):
        for n in range(count):
            for j in range(half):
                front, back = wide(qkv[n, 0, h, j]), wide(qkv[n, 0, h, j + half])
                queries[h, n, j] = front * cos[j] - back * sin[j]
                queries[h, n, j + half] = back * cos[j] + front * sin[j]
                front, back = wide(qkv[n, 1, h, j]), wide(qkv[n, 1, h, j + half])
                keys[h, n, j] = narrow(front * cos[j] - back * sin[j], qkv[n, 1, h, j])
                keys[h, n, j + half] = narrow(back * cos[j] + front * sin[j], qkv[n, 1, h, j])
            for e in range(width):
                values[h, n, e] = qkv[n, 2, h, e]


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _attend(queries: Any, keys: Any, values: Any, shared: Any, scores: Any, mixed: Any, scale: Any) -> None:
    """Both kinds of positions, for P = H N pairs; `scores` (P, S) is room to work in, the last two are written."""
    pairs, width = queries.shape
    filled = len(keys)
    four = filled - filled % 4
    for s in range(0, four, 4):
        for p in range(pairs):
            d0, d1, d2, d3 = F(0), F(0), F(0), F(0)
            for e in range(width):
                q = queries[p, e]
                d0 += q * wide(keys[s, p, e])
                d1 += q * wide(keys[s + 1, p, e])
                d2 += q * wide(keys[s + 2, p, e])
                d3 += q * wide(keys[s + 3, p, e])
            scores[p, s], scores[p, s + 1], scores[p, s + 2], scores[p, s + 3] = d0, d1, d2, d3
    for s in range(four, filled):
        for p in range(pairs):
            d0 = F(0)
            for e in range(width):
                d0 += queries[p, e] * wide(keys[s, p, e])
            scores[p, s] = d0
    for p in range(pairs):
        scale[p] = F(1) / _weigh(scores[p, :filled], shared[p])
        for e in range(width):
            mixed[p, e] = F(0)
    for s in range(0, four, 4):
        for p in range(pairs):
            w0, w1, w2, w3 = scores[p, s], scores[p, s + 1], scores[p, s + 2], scores[p, s + 3]
            for e in range(width):
                mixed[p, e] += (
                    w0 * wide(values[s, p, e])
                    + w1 * wide(values[s + 1, p, e])
                    + w2 * wide(values[s + 2, p, e])
                    + w3 * wide(values[s + 3, p, e])
                )
    for s in range(four, filled):
        for p in range(pairs):
            w0 = scores[p, s]
            for e in range(width):
                mixed[p, e] += w0 * wide(values[s, p, e])


@njit(inline="always", fastmath=_FAST, error_model="numpy")
def _weigh(own: Any, shared: Any) -> Any:
    """Exponentials of two rows of scores less the largest of both, in place, and their sum."""
    top = max(_largest(own), _largest(shared))
    total = F(0)
    for s in range(own.size):
        weight = exponential(own[s] - top)
        own[s] = weight
        total += weight
    for s in range(shared.size):
        weight = exponential(wide(shared[s]) - top)
        shared[s] = narrow(weight, shared[s])
        total += weight
    return total


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _merge(own: Any, shared: Any, scale: Any, mixed: Any) -> None:
    """Write mixed values (N, H, E)."""
    heads, count, width = own.shape
    for n in range(count):
        for h in range(heads):
            for e in range(width):
                total = (own[h, n, e] + wide(shared[h, n, e])) * scale[h, n]
                mixed[n, h, e] = narrow(total, mixed[n, h, e])


@njit(inline="always", fastmath=_FAST, error_model="numpy")
def _largest(row: Any) -> Any:
    """The largest of a row's numbers, of which none may be NaN; minus infinity where there is none."""
    top = F(-np.inf)
    for s in range(row.size):
        top = larger(top, wide(row[s]))
    return top
