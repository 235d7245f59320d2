"""The slow obvious sampler: for every bar the whole window through both networks as they are, and no memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stresslab.generators.kronos.forward_pass import Tokens
from stresslab.generators.kronos.sampler import Draws
from stresslab.generators.kronos.token_sampling import ATTEMPTS, TokenSampling
from stresslab.generators.kronos.tokenizer import KronosTokenizer
from stresslab.generators.kronos.transformer import KronosTransformer

ROUNDING = 1e-5
"""Of probabilities, at temperature 1 or more."""


def decode_s2(model: KronosTransformer, hidden: Tensor, s1_ids: Tensor) -> Tensor:
    """Fine logits (B, V) of the bar after the last, given its coarse token (B,) and hidden states (B, L, D).

    Named as in the official code: one bar at a time, as it samples.
    """
    attention, coarse = model.dep_layer.cross_attn, model.embedding.emb_s1(s1_ids).unsqueeze(1)
    query = attention.split(attention.q_proj(coarse))  # (B, H, 1, D/H)
    keys, values = attention.split(attention.k_proj(hidden)), attention.split(attention.v_proj(hidden))
    mixed = functional.scaled_dot_product_attention(query, keys, values).transpose(1, 2).flatten(2)
    logits: Tensor = model.head.proj_s2(model.dep_layer.combine(hidden[:, -1:], coarse, attention.out_proj(mixed)))
    return logits[:, 0]


@dataclass(frozen=True, eq=False)
class Reference:
    """A history and how it is to be continued; see `Sampler`, whose arguments these are."""

    model: KronosTransformer
    tokenizer: KronosTokenizer
    features: np.ndarray
    stamps: np.ndarray
    horizon: int
    max_context: int
    choice: TokenSampling
    window: str

    @property
    def context(self) -> Tokens:
        """Tokens (1, L) of what the model sees."""
        coarse, fine = self.tokenizer.encode(torch.from_numpy(self.features)[None], half=True)
        return coarse[:, -self.max_context :], fine[:, -self.max_context :]

    def logits(self, tokens: Tokens, step: int) -> tuple[Tensor, Tensor]:
        """Coarse and fine logits (N, V) of one step, given the tokens (N, L + H) of the others and its coarse one."""
        length = self.context[0].shape[1]
        now, start = length + step, self._start(length, step)
        stamps = torch.from_numpy(self.stamps[-(length + self.horizon) :])[None, start:now]
        coarse, fine = (part[:, start:now] for part in tokens)
        logits, hidden = self.model.decode_s1(coarse, fine, stamps.expand(len(coarse), -1, -1))
        return logits[:, -1], decode_s2(self.model, hidden, tokens[0][:, now])

    def sample(self, drawn: Draws) -> Tokens:
        """Tokens (N, L + H)."""
        blank = torch.zeros(drawn.count, self.horizon, dtype=torch.long)
        tokens = tuple(torch.cat([part.expand(drawn.count, -1), blank], dim=1) for part in self.context)
        for step in range(self.horizon):
            now = tokens[0].shape[1] - self.horizon + step
            for which in (0, 1):
                tokens[which][:, now] = self.choice.draw(self.logits(tokens, step)[which], drawn.uniform(step, which))
        return tokens

    def unexplained(self, tokens: Tokens, drawn: Draws) -> int:
        """How many of the tokens (N, L + H) are neither what their uniforms give nor a matter of rounding."""
        count, length = 0, self.context[0].shape[1]
        for step in range(self.horizon):
            for which, logits in enumerate(self.logits(tokens, step)):
                uniform, found = drawn.uniform(step, which), tokens[which][:, length + step]
                wrong = self.choice.draw(logits, uniform) != found
                count += int((wrong & ~self._close(logits, uniform)).sum())
        return count

    def features_of(self, tokens: Tokens) -> np.ndarray:
        """Decode half a window of bars at a time, each time from the tokens of a whole window."""
        length, most, pieces = self.context[0].shape[1], self.max_context, []
        for end in range(length + self.horizon, length, -max(1, most // 2)):
            start, first = max(0, end - most), max(length, end - max(1, most // 2))
            decoded = self.tokenizer.decode((tokens[0][:, start:end], tokens[1][:, start:end]), half=True)
            pieces.append(decoded[:, first - start :])
        return torch.cat(pieces[::-1], dim=1).numpy()

    def _start(self, length: int, step: int) -> int:
        """The first position of the window in which a step is drawn."""
        start = 0
        for now in range(length, length + step + 1):
            if now - start > self.max_context:
                start = now - (self.max_context if self.window == "rolling" else self.max_context // 2)
        return start

    def _close(self, logits: Tensor, uniform: object) -> Tensor:
        """Which rows (N,) of logits (N, V) may be drawn otherwise for a rounding error in the logits."""
        choice = self.choice
        whole = (logits / choice.temperature).double().softmax(dim=-1)
        cut = choice.top_k > 0 or choice.top_p == 1.0
        mass = choice.probabilities(logits.double()).cumsum(dim=-1) if cut else whole.cumsum(dim=-1)
        attempts, rounding = range(1 if cut else ATTEMPTS), ROUNDING / min(1.0, choice.temperature)
        close = torch.zeros(len(logits), dtype=torch.bool)
        for attempt in attempts:
            if attempt == ATTEMPTS - 1:
                mass = choice.probabilities(logits.double()).cumsum(dim=-1)
            close |= (mass - uniform(attempt)[:, None]).abs().amin(dim=-1) < rounding
        if choice.top_k > 0:
            ordered = whole.sort(dim=-1, descending=True).values
            k = min(choice.top_k, whole.shape[1] - 1)
            close |= ordered[:, k - 1] - ordered[:, k] < rounding
        elif choice.top_p < 1.0:
            above = torch.stack([torch.where(whole > one[:, None], whole, 0.0).sum(-1) for one in whole.T], dim=-1)
            close |= (above - choice.top_p).abs().amin(dim=-1) < rounding
        return close
