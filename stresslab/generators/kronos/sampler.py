"""Sampling: tokens of one history to tokens and features of many continuations, each from its own uniforms.

The history is prefilled once and shared; every universe adds a cache of its own. A universe is always computed at the
same place of a tile of fixed size, so that its bits do not depend on how many others there are. What tokens mean is the
tokenizer's business, what features mean the representation's.

Shapes: N universes of a tile, L bars of context, H bars of horizon, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from threading import Lock
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stresslab.generators.kronos.memory import Memory, Stream, keys_of, queries_of, values_of
from stresslab.generators.kronos.tokenizer import KronosTokenizer
from stresslab.generators.kronos.transformer import KronosTransformer
from stresslab.randomness import uniforms

TILE = 64
"""Universes computed together; a tile's caches fit the memory of a small machine even for Kronos-base."""
DRAWS = 2
"""Uniforms per bar: of the coarse and of the fine token."""

Tokens = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Choice:
    """How a token is drawn from its logits.

    Attributes:
        temperature: divides the logits.
        top_k: keep this many likeliest tokens; 0 keeps all, and above 0 `top_p` is not applied, as published.
        top_p: keep the likeliest tokens up to the one with which their mass exceeds this (Holtzman et al. 2020).
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def probabilities(self, logits: Tensor) -> Tensor:
        """Probabilities (N, V) after temperature, top-k and top-p of logits (N, V)."""
        scaled = logits / self.temperature
        if self.top_k > 0:
            least = scaled.topk(min(self.top_k, scaled.shape[-1]), dim=-1).values[:, -1:]
            scaled = scaled.masked_fill(scaled < least, -torch.inf)
        elif self.top_p < 1.0:
            ordered, order = scaled.sort(dim=-1, descending=True)
            mass = ordered.softmax(dim=-1).cumsum(dim=-1)
            beyond = mass > self.top_p
            beyond = torch.cat([torch.zeros_like(beyond[:, :1]), beyond[:, :-1]], dim=-1)  # the crossing one is kept
            scaled = scaled.masked_fill(torch.zeros_like(beyond).scatter(-1, order, beyond), -torch.inf)
        return scaled.softmax(dim=-1)

    def draw(self, logits: Tensor, u: Tensor) -> Tensor:
        """Tokens (N,) by inverting the distribution function of logits (N, V) at uniforms u (N,)."""
        mass = self.probabilities(logits).cumsum(dim=-1, dtype=torch.float64)
        tokens = torch.searchsorted(mass, (u * mass[:, -1]).unsqueeze(-1), right=True)
        return tokens.squeeze(-1).clamp_max(logits.shape[-1] - 1)


class Sampler:
    """Continuations of one history; made once per history, then asked for one tile after the other."""

    def __init__(
        self,
        model: KronosTransformer,
        tokenizer: KronosTokenizer,
        features: NDArray[np.float32],
        stamps: NDArray[np.int64],
        *,
        horizon: int,
        max_context: int,
        choice: Choice,
        window: Literal["block", "rolling"] = "block",
    ) -> None:
        """Encode the history and prefill the model with it.

        Args:
            model: the transformer, in eval mode.
            tokenizer: its tokenizer, in eval mode.
            features: (L, width) of the context; the model sees the last `max_context` of them.
            stamps: (L + H, 5) of context and horizon.
            horizon: H, bars to sample.
            max_context: bars in the model's window.
            choice: how tokens are drawn.
            window: when the window is full, "block" drops its older half and prefills again, "rolling" drops one bar
                and computes the whole window anew, as the official code does at a hundred times the cost.
        """
        self.model, self.tokenizer, self.choice = model, tokenizer, choice
        self.horizon, self.max_context = horizon, max_context
        self.device = model.head.proj_s1.weight.device
        self.kept = max_context if window == "rolling" else max_context // 2
        with torch.inference_mode():
            encoded = tokenizer.encode(torch.from_numpy(features)[None].to(self.device), half=True)
            self.context = (encoded[0][:, -max_context:], encoded[1][:, -max_context:])  # (1, L) each
            self.length = self.context[0].shape[1]
            self.stamps = torch.from_numpy(stamps[-(self.length + horizon) :]).to(self.device)
            self.prefilled = _Pass(model, self.length)
            self.last = self.prefilled.extend(self.context, self.stamps[: self.length])[:, -1]  # (1, D)

    def tile(self, number: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features of the universes `number * TILE` to `(number + 1) * TILE - 1`.

        Args:
            number: which tile.
            seed: of the run.

        Returns:
            Features (TILE, H, width) of the bars, and (1, width) of the tokenizer's decoding of the last context bar.
        """
        ids = np.arange(number * TILE, (number + 1) * TILE)
        u = torch.from_numpy(uniforms(seed, ids, self.horizon, DRAWS)).to(self.device)
        with torch.inference_mode():
            return self._decode(self._tokens(u))

    def _tokens(self, u: Tensor) -> Tokens:
        """Sample tokens (N, H) from uniforms (N, H, 2)."""
        count = len(u)
        coarse = torch.cat([self.context[0].expand(count, -1), u.new_zeros(count, self.horizon).long()], dim=1)
        fine = torch.cat([self.context[1].expand(count, -1), torch.zeros_like(coarse[:, self.length :])], dim=1)
        room = min(self.horizon - 1, self.max_context - self.length)
        running, last = self.prefilled.fork(room), self.last.expand(count, -1)
        start = 0  # first position in the window
        for step in range(self.horizon):
            now = self.length + step  # the bar being drawn
            if step and now - start > self.max_context:
                start = now - self.kept
                running = _Pass(self.model, self.max_context)
                last = running.extend((coarse[:, start:now], fine[:, start:now]), self.stamps[start:now])[:, -1]
            elif step:
                newest = slice(now - 1, now)
                last = running.extend((coarse[:, newest], fine[:, newest]), self.stamps[newest])[:, -1]
            coarse[:, now] = self.choice.draw(self.model.head.proj_s1(last), u[:, step, 0])
            fine[:, now] = self.choice.draw(running.fine_logits(last, coarse[:, now]), u[:, step, 1])
        return coarse, fine

    def _decode(self, tokens: Tokens) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features of the sampled tokens, decoded in windows of at most `max_context` tokens."""
        total, most = self.length + self.horizon, max(1, self.max_context // 2)
        pieces = []
        for end in reversed(range(total, self.length, -most)):
            pieces.append(
                self._decode_window(tokens, max(0, end - self.max_context), max(self.length, end - most), end)
            )
        decoded = torch.cat([own for own, _ in pieces], dim=1)
        return decoded.float().cpu().numpy(), pieces[0][1].float().cpu().numpy()

    def _decode_window(self, tokens: Tokens, start: int, first: int, end: int) -> tuple[Tensor, Tensor]:
        """Features of the positions first ... end - 1, decoded after those from `start` on, and of the one before.

        What belongs to the context is decoded once for all universes; the one before is (1, width) of the context.
        """
        known = max(start, self.length)  # where the universes' own positions begin
        stream = Stream(self.tokenizer.decoder, known - start)
        shared = stream.extend(self._codes(tokens, slice(start, known), slice(0, 1)))
        stream = stream.fork(end - known)
        own = stream.extend(self._codes(tokens, slice(known, end), slice(None)))
        head = self.tokenizer.head
        return head(own[:, first - known :]), head(shared[:, -1:])[:, 0] if known > start else head(own[:1, 0])

    def _codes(self, tokens: Tokens, positions: slice, rows: slice) -> Tensor:
        codes = self.tokenizer.codes(tokens[0][rows, positions], tokens[1][rows, positions])
        embedded: Tensor = self.tokenizer.post_quant_embed(codes)
        return embedded


class _Pass:
    """The transformer's forward pass, going on bar by bar."""

    def __init__(self, model: KronosTransformer, room: int) -> None:
        self.model = model
        self.stream = Stream(model.transformer, room)
        self.dependency = Memory.empty(model.dep_layer.cross_attn, room)

    def fork(self, room: int) -> _Pass:
        """A pass for any number of universes that all go on from this one's single sequence."""
        forked = copy(self)
        forked.stream, forked.dependency = self.stream.fork(room), self.dependency.fork(room)
        return forked

    def extend(self, tokens: Tokens, stamps: Tensor) -> Tensor:
        """Read the next T bars: tokens (N, T), stamps (T, 5). Returns their hidden states (N, T, D)."""
        model, attention = self.model, self.model.dep_layer.cross_attn
        hidden: Tensor = model.norm(self.stream.extend(model.embedding(*tokens) + model.time_emb(stamps)))
        self.dependency.append(keys_of(attention, hidden), values_of(attention, hidden))  # never rotated at inference
        return hidden

    def fine_logits(self, last: Tensor, coarse: Tensor) -> Tensor:
        """Fine logits (N, V) given the last hidden states (N, D) and the coarse tokens (N,) drawn from them."""
        layer, embedded = self.model.dep_layer, self.model.embedding.emb_s1(coarse)
        mixed = self.dependency.attend(queries_of(layer.cross_attn, embedded.unsqueeze(1)))
        attended = layer.cross_attn.out_proj(mixed.transpose(1, 2).flatten(2))[:, 0]
        logits: Tensor = self.model.head.proj_s2(layer.combine(last, embedded, attended))
        return logits


class _Threads:
    """Counts who needs one thread per tile, so that sums are taken in the same order whatever the machine."""

    def __init__(self) -> None:
        self.lock, self.users, self.before = Lock(), 0, 1

    @contextmanager
    def single(self) -> Iterator[None]:
        """One thread within; the last to leave restores the setting."""
        with self.lock:
            if self.users == 0:
                self.before = torch.get_num_threads()
                torch.set_num_threads(1)
            self.users += 1
        try:
            yield
        finally:
            with self.lock:
                self.users -= 1
                if self.users == 0:
                    torch.set_num_threads(self.before)


single_threaded = _Threads().single
