"""Sampling: tokens of one history to tokens and features of many continuations, each from its own uniforms.

The history is prefilled once and shared; every universe adds a cache of its own. A universe is always computed at the
same place of a tile of fixed size, so that its bits do not depend on how many others there are. What tokens mean, the
tokenizer knows; what features mean, the representation.

Shapes: N universes of a tile, L bars of context, H bars of horizon, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stresslab.core.errors import InputError
from stresslab.core.randomness import WORDS, Stream, uniforms
from stresslab.generators.kronos.coupling import Company, CoupledDraws, Coupling, ReturnOrder
from stresslab.generators.kronos.forward_pass import Pass, Tokens
from stresslab.generators.kronos.inference_weights import Decoder, Transformer
from stresslab.generators.kronos.kv_cache import CachedBlocks, Shared
from stresslab.generators.kronos.token_sampling import TokenSampling, Uniform
from stresslab.generators.kronos.tokenizer import KronosTokenizer
from stresslab.generators.kronos.transformer import KronosTransformer

TILE = 64
"""Universes computed together; a tile's caches fit the memory of a small machine even for Kronos-base."""
POSITIONS = 16
"""Positions of the context over which fine tokens are averaged to lay out a coupling's bins."""
TINY = 1e-30
DRAWS = 2
"""Uniforms per bar and attempt: of the coarse and of the fine token."""

Watch = Callable[[Tensor, Tensor], None]
Window = Literal["block", "rolling"]


class Networks:
    """A model and its tokenizer, both in eval mode, with their weights rearranged for sampling."""

    def __init__(
        self, model: KronosTransformer, tokenizer: KronosTokenizer, dtype: torch.dtype = torch.float32
    ) -> None:
        """Rearrange the weights; the transformer computes in `dtype`, the tokenizer in float32."""
        self.tokenizer, self.device = tokenizer, model.head.proj_s1.weight.device
        self.transformer, self.decoder = Transformer(model, dtype), Decoder(tokenizer)
        self.drifts: dict[object, NDArray[np.float64] | None] = {}  # of histories sampled before

    def bytes_per_universe(self, room: int) -> int:
        """Bytes that one universe with `room` bars of its own takes, about."""
        layers, width = len(self.transformer.blocks) + 1, self.transformer.coarse.shape[1]
        remembered = 2 * layers * width * room * self.transformer.dtype.itemsize
        return remembered + 64 * self.transformer.coarse.numel() // width + 4 * 16 * width


@dataclass(frozen=True, eq=False)
class Tile:
    """What was sampled for one tile.

    Attributes:
        features: (N, H, width) of the bars.
        seam: (1, width), the tokenizer's decoding of the last context bar.
        log_probabilities: (N, H, 2) of the coarse and fine tokens under the model itself: temperature 1, nothing cut.
            None unless asked for.
    """

    features: NDArray[np.float32]
    seam: NDArray[np.float32]
    log_probabilities: NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class Forced:
    """Tokens that are not drawn: those of bars that are put into universes.

    Attributes:
        at: step of the first.
        tokens: coarse and fine ones, (N, L) each.
        drawn: (N, L) where a token is drawn all the same, since the bar is what the universe had there anyway.
    """

    at: int
    tokens: Tokens
    drawn: Tensor

    def rows(self, part: slice) -> Forced:
        """Those of some universes."""
        return Forced(self.at, (self.tokens[0][part], self.tokens[1][part]), self.drawn[part])

    @property
    def steps(self) -> range:
        """The steps at which they stand."""
        return range(self.at, self.at + self.tokens[0].shape[1])


class Sampler:
    """Continuations of one history; made once per history, then asked for one tile after the other."""

    def __init__(
        self,
        networks: Networks,
        features: NDArray[np.float32],
        stamps: NDArray[np.int64],
        *,
        horizon: int,
        max_context: int,
        choice: TokenSampling,
        window: Window = "block",
        order: ReturnOrder | None = None,
    ) -> None:
        """Encode the history and prefill the model with it.

        Args:
            networks: the transformer and its tokenizer.
            features: (L, width) of the context; the model sees the last `max_context` of them.
            stamps: (L + H, 5) of context and horizon.
            horizon: H, bars to sample.
            max_context: bars in the model's window.
            choice: how tokens are drawn.
            window: when the window is full, "block" drops its older half and prefills again, "rolling" drops one bar
                and computes the whole window again, as the official code does at a hundred times the cost.
            order: of the checkpoint's returns; needed to sample in company.
        """
        self.networks, self.choice, self.horizon, self.max_context = networks, choice, horizon, max_context
        self.kept = max_context if window == "rolling" else max_context // 2
        self.features = features[-max_context:]
        with torch.inference_mode():
            encoded = networks.tokenizer.encode(torch.from_numpy(features)[None].to(networks.device), half=True)
            self.context = (encoded[0][:, -max_context:], encoded[1][:, -max_context:])  # (1, L) each
            self.length = self.context[0].shape[1]
            marks = torch.from_numpy(stamps[-(self.length + horizon) :]).to(networks.device)
            self.stamps = networks.transformer.stamps(marks)  # (L + H, D)
            first = Pass(networks.transformer, 1, self.length)
            self.last = first.extend(self.context, self.stamps[: self.length])[:, -1]  # (1, D)
            _check_finite(networks.transformer.coarse_head(self.last), "model")
            self.history = first.history()
            self.coupling = None if order is None else self._coupling(first, order)
            self.windows = self._windows()

    def sample(
        self,
        tiles: Sequence[int] | NDArray[np.int64],
        seed: int,
        *,
        company: Company | None = None,
        forced: Forced | None = None,
        scored: bool = False,
        between_bars: Callable[[], None] = lambda: None,
    ) -> list[Tile]:
        """Sample the universes `number * TILE` to `(number + 1) * TILE - 1` of each tile number.

        Args:
            tiles: numbers of tiles, to be computed together.
            seed: of the run.
            company: what the universes share with those of other symbols; None draws every token by itself.
            forced: tokens of the universes that are not drawn.
            scored: whether to keep the tokens' log-probabilities.
            between_bars: called after each bar but the last; what it raises ends the sampling.
        """
        ids = np.concatenate([np.arange(number * TILE, (number + 1) * TILE) for number in tiles])
        drawn = self._draws(seed, ids, company)
        with torch.inference_mode():
            tokens, scores = self._tokens(drawn, forced=forced, scored=scored, between_bars=between_bars)
            seam, made = self.windows[0].seam, []
            assert seam is not None
            for start in range(0, len(ids), TILE):
                rows = slice(start, start + TILE)
                features = self._decode((tokens[0][rows], tokens[1][rows]))
                _check_finite(features, "tokenizer")
                of_tokens = None if scores is None else scores[rows].cpu().numpy()
                made.append(Tile(features.cpu().numpy(), seam.cpu().numpy(), of_tokens))
        return made

    @property
    def seam(self) -> NDArray[np.float32]:
        """The tokenizer's decoding (1, width) of the last context bar."""
        assert self.windows[0].seam is not None
        return np.asarray(self.windows[0].seam.cpu().numpy())

    def encoded(self, features: NDArray[np.float32], last: int) -> Tokens:
        """Tokens (N, last) of the last bars of continuations, read after their own past.

        A tile is always encoded as a whole, so that no universe depends on others.

        Args:
            features: (N, S, width) of the bars from the origin on, of whole tiles.
            last: how many bars are wanted.
        """
        found = []
        with torch.inference_mode():
            for start in range(0, len(features), TILE):
                own = features[start : start + TILE]
                past = np.broadcast_to(self.features, (len(own), *self.features.shape))
                whole = np.concatenate([past, own], axis=1)[:, -max(self.max_context, last) :]
                coarse, fine = self.networks.tokenizer.encode(
                    torch.from_numpy(whole).to(self.networks.device), half=True
                )
                found.append((coarse[:, -last:], fine[:, -last:]))
        return torch.cat([coarse for coarse, _ in found]), torch.cat([fine for _, fine in found])

    def _draws(self, seed: int, ids: NDArray[np.int64], company: Company | None) -> Draws | CoupledDraws:
        if company is None:
            return Draws(seed, ids, self.horizon, self.networks.device)
        assert self.coupling is not None
        return CoupledDraws(self.coupling, company, seed, ids, self.horizon)

    def continuations(
        self, drawn: Draws, watch: Watch, between_bars: Callable[[], None] = lambda: None
    ) -> NDArray[np.float32]:
        """Features (N, H, width) of continuations from other uniforms than the universes'.

        Args:
            drawn: their uniforms.
            watch: called with every token (N,) and the chances (N, V) it was drawn from, the coarse one of a bar first.
            between_bars: called after each bar but the last; what it raises ends the sampling.
        """
        with torch.inference_mode():
            tokens, _ = self._tokens(drawn, watch=watch, between_bars=between_bars)
            return np.asarray(self._decode(tokens).cpu().numpy())

    def _tokens(
        self,
        drawn: Draws | CoupledDraws,
        *,
        forced: Forced | None = None,
        scored: bool = False,
        watch: Watch | None = None,
        between_bars: Callable[[], None] = lambda: None,
    ) -> tuple[Tokens, Tensor | None]:
        """Sample tokens (N, L + H), and their log-probabilities (N, H, 2) where these are wanted."""
        count, transformer = drawn.count, self.networks.transformer
        coarse, fine = (
            torch.cat([known.expand(count, -1), known.new_zeros(count, self.horizon)], dim=1) for known in self.context
        )
        scores = self.stamps.new_empty(count, self.horizon, DRAWS) if scored else None
        running = Pass(transformer, count, min(self.horizon - 1, self.max_context - self.length), self.history)
        last, start = self.last.expand(count, -1), 0  # `start` is the window's first position
        for step in range(self.horizon):
            now = self.length + step  # the bar being drawn
            if step:
                between_bars()
                first = now - 1
                if now - start > self.max_context:
                    first = start = now - self.kept
                    running = Pass(transformer, count, self.max_context)
                last = running.extend((coarse[:, first:now], fine[:, first:now]), self.stamps[first:now])[:, -1]
            put = step - forced.at if forced is not None and step in forced.steps else None
            if forced is not None and put is not None and not forced.drawn[:, put].any():
                coarse[:, now], fine[:, now] = (part[:, put] for part in forced.tokens)
                continue
            logits = transformer.coarse_head(last)
            coarse[:, now] = drawn.coarse(self.choice, logits, step)
            fine_logits = running.fine_logits(last, coarse[:, now])
            fine[:, now] = drawn.fine(self.choice, fine_logits, coarse[:, now], step)
            if forced is not None and put is not None:
                for tokens, part in zip((coarse, fine), forced.tokens, strict=True):
                    tokens[:, now] = torch.where(forced.drawn[:, put], tokens[:, now], part[:, put])
            if watch is not None:
                watch(coarse[:, now], self.choice.probabilities(logits))
                watch(fine[:, now], self.choice.probabilities(fine_logits))
            if scores is not None:
                scores[:, step, 0] = log_probabilities(logits, coarse[:, now])
                scores[:, step, 1] = log_probabilities(fine_logits, fine[:, now])
        return (coarse, fine), scores

    def _coupling(self, first: Pass, order: ReturnOrder) -> Coupling:
        """Bins for this history: what to believe of fine tokens is their average over positions of the context."""
        transformer, tokens = self.networks.transformer, torch.arange(len(order.order), device=self.networks.device)
        believed, weight = torch.zeros_like(order.returns), torch.zeros_like(order.returns[:, 0])
        for position in np.unique(np.linspace(self.length // 4, self.length - 1, POSITIONS).astype(int)).tolist():
            state, seen = first.state(position)
            chances = transformer.coarse_head(state).softmax(dim=-1)[0]  # (V,)
            states, mixed = state.expand(len(tokens), -1), seen.mixed.transpose(0, 1).flatten(1)
            fine = transformer.fine_logits(states, tokens, mixed).softmax(dim=-1)  # (V, V)
            believed, weight = believed + chances.unsqueeze(1) * fine, weight + chances
        return Coupling(order, weight / weight.sum(), believed / weight.clamp_min(TINY).unsqueeze(1))

    def _windows(self) -> list[_Window]:
        """How the sampled bars are decoded: half a window at a time, each after up to half a window before it."""
        total, most = self.length + self.horizon, max(1, self.max_context // 2)
        ends = list(range(total, self.length, -most))[::-1]
        starts = [max(0, end - self.max_context) for end in ends]
        starts[0] = min(starts[0], self.length - 1)  # the seam is decoded with the first
        return [self._window(start, max(self.length, end - most), end) for start, end in zip(starts, ends, strict=True)]

    def _window(self, start: int, first: int, end: int) -> _Window:
        """Positions first ... end - 1, decoded after those from `start` on; those of the context are decoded now."""
        decoder, known = self.networks.decoder, max(start, self.length)
        if known == start:
            return _Window(first, start, end, [], None)
        history = CachedBlocks(decoder.blocks, 1, known - start)
        past = history.extend(decoder.embed(self.context[0][:, start:known], self.context[1][:, start:known]))
        return _Window(first, known, end, history.shared(), decoder.head(past[:, -1]))

    def _decode(self, tokens: Tokens) -> Tensor:
        """Features (N, H, width) of the sampled tokens."""
        decoder, pieces = self.networks.decoder, []
        for window in self.windows:
            stream = CachedBlocks(decoder.blocks, len(tokens[0]), 0, window.shared)
            own = slice(window.known, window.end)
            decoded = decoder.head(stream.extend(decoder.embed(tokens[0][:, own], tokens[1][:, own])))
            pieces.append(decoded[:, window.first - window.known :])
        return torch.cat(pieces, dim=1)


@dataclass(frozen=True, eq=False)
class _Window:
    """Positions `first` to `end` - 1 of the tokens are decoded, in each universe from its own since `known`.

    Attributes:
        first: position of the first bar that is wanted.
        known: where the universes' own positions begin.
        end: position after the last.
        shared: what the decoder remembers of the context before `known`.
        seam: (1, width), the decoded last bar of the context; None where the context is not read.
    """

    first: int
    known: int
    end: int
    shared: list[Shared]
    seam: Tensor | None


class Draws:
    """The uniforms of a tile: one per universe, step, token and attempt."""

    def __init__(
        self, seed: int, ids: NDArray[np.int64], horizon: int, device: torch.device, stream: Stream = Stream.SAMPLER
    ) -> None:
        self.count = len(ids)
        self._address, self._device, self._stream = (seed, ids, horizon), device, stream
        self._attempts: dict[int, Tensor] = {}

    def coarse(self, choice: TokenSampling, logits: Tensor, step: int) -> Tensor:
        """Coarse tokens (N,) of logits (N, V)."""
        return choice.draw(logits, self.uniform(step, 0))

    def fine(self, choice: TokenSampling, logits: Tensor, coarse: Tensor, step: int) -> Tensor:
        """Fine tokens (N,) of logits (N, V), which know the coarse ones (N,)."""
        return choice.draw(logits, self.uniform(step, 1))

    def uniform(self, step: int, token: int) -> Uniform:
        """The uniforms (N,) of a step's coarse (0) or fine (1) token, by the attempt at it."""
        return lambda attempt: self._of_attempt(attempt)[:, step, token]

    def _of_attempt(self, attempt: int) -> Tensor:
        if attempt not in self._attempts:
            seed, ids, horizon = self._address
            numbers = uniforms(seed, ids, horizon, DRAWS, first_draw=attempt * WORDS, stream=self._stream)
            self._attempts[attempt] = torch.from_numpy(numbers).to(self._device)
        return self._attempts[attempt]


def _check_finite(numbers: Tensor, part: str) -> None:
    """Refuse weights, finite as they are, from which a network computes what is no number."""
    if not torch.isfinite(numbers).all():
        raise InputError(
            f"the weights of the {part} overflow when they are used: it computes numbers that are not finite; take the "
            "weights again, or another model"
        )


def log_probabilities(logits: Tensor, tokens: Tensor) -> Tensor:
    """Log-probability (N,) of each token (N,) under logits (N, V)."""
    return logits.log_softmax(dim=-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
