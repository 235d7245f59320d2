"""Training of both stages: the tokenizer by reconstruction, then the transformer by next-token cross-entropy.

Follows Shi et al. 2025 (arXiv 2508.02739, sections 3.1 and 3.2): hierarchical reconstruction (coarse tokens alone, and
all), commitment and entropy terms of binary spherical quantization; then coarse and fine cross-entropy. AdamW with
linear warm-up and cosine decay. `windows` hands out what is trained on; `validation_loss` measures the losses on
unseen data.
"""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn

from stresslab.core.errors import CheckpointError, InputError
from stresslab.core.whole_files import put, put_text
from stresslab.generators.kronos.tokenizer import KronosTokenizer
from stresslab.generators.kronos.train.windows import Batch, Corpus
from stresslab.generators.kronos.transformer import KronosTransformer, next_token_loss

STATE, LOG = "training-state.safetensors", "loss.csv"


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        steps: optimizer steps.
        batch: windows per step.
        learning_rate: peak of the schedule.
        warm_up: share of the steps in which the rate rises linearly from 0.
        final: learning rate at the end as a share of the peak.
        weight_decay: of AdamW, on matrices only.
        save_every: steps between two saved states.
        seed: decides initial weights, windows and the sampled coarse tokens.
        precision: "float32" or "bfloat16" (autocast; weights stay float32).
    """

    steps: int
    batch: int = 32
    learning_rate: float = 1e-3
    warm_up: float = 0.05
    final: float = 0.02
    weight_decay: float = 0.1
    save_every: int = 200
    seed: int = 0
    precision: str = "float32"

    def __post_init__(self) -> None:
        """Refuse what is no training."""
        for name in ("steps", "batch", "save_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}={getattr(self, name)} is not a positive number; give for example 1000 steps")
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"learning_rate={self.learning_rate} is not a positive number; give for example 0.001")
        if not 0 <= self.seed < 2**32:
            raise InputError(f"seed={self.seed} is outside [0, 2^32); give for example 0")
        if self.precision not in ("float32", "bfloat16"):
            raise InputError(f"precision={self.precision!r} is neither float32 nor bfloat16; leave it out for float32")

    def rate(self, step: int) -> float:
        """Learning rate at a step: linear warm-up, then cosine decay (Loshchilov & Hutter 2017)."""
        rising = max(1, round(self.warm_up * self.steps))
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        progress = (step - rising) / max(1, self.steps - rising)
        return self.learning_rate * (self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * progress)))


@dataclass(frozen=True)
class Progress:
    """One step of training as it is shown and logged."""

    step: int
    steps: int
    loss: float
    parts: Mapping[str, float]
    bars_per_second: float


Losses = dict[str, torch.Tensor]
OnStep = Callable[[Progress], None]


def tokenizer_losses(tokenizer: KronosTokenizer, features: torch.Tensor, weights: torch.Tensor) -> Losses:
    """Loss terms of the tokenizer on features (B, L, width) whose squared errors are weighted (width,).

    The official stage-1 objective: squared error of the coarse and of the full reconstruction, and the quantizer's
    own loss; "loss" is half their sum.
    """
    (coarse, full), quantizer, _, _ = tokenizer(features)
    coarse_error = (weights * (coarse.float() - features) ** 2).mean()
    full_error = (weights * (full.float() - features) ** 2).mean()
    return {
        "loss": (coarse_error + full_error + quantizer) / 2,
        "coarse": coarse_error,
        "full": full_error,
        "quantizer": quantizer,
    }


def model_losses(model: KronosTransformer, tokenizer: KronosTokenizer, batch: Batch, device: torch.device) -> Losses:
    """Next-token losses of the transformer on a batch.

    The paper conditions the fine token on a coarse one sampled by the model, and a model of the published architecture
    (`coarse_residual` False) is trained, and so fine-tuned, that way. A token sampled from the past says nothing about
    the true fine one beyond the past, so that objective is least where fine and coarse are drawn independently; the
    chain rule wants the true coarse token, which is what our architecture (`coarse_residual` True) is trained on.
    """
    stamps = torch.from_numpy(batch.stamps).to(device)
    with torch.no_grad():
        coarse, fine = tokenizer.encode(torch.from_numpy(batch.features).to(device), half=True)
    given = coarse[:, 1:] if model.config.coarse_residual else None  # None: sampled by the model
    coarse_logits, fine_logits = model(coarse[:, :-1], fine[:, :-1], stamps[:, :-1], s1_targets=given)
    loss, coarse_loss, fine_loss = next_token_loss(coarse_logits, fine_logits, coarse[:, 1:], fine[:, 1:])
    return {"loss": loss, "coarse": coarse_loss, "fine": fine_loss}


def train_tokenizer(
    tokenizer: KronosTokenizer, corpus: Corpus, schedule: Schedule, folder: Path, on_step: OnStep | None = None
) -> None:
    """Train a tokenizer in place; `folder` keeps the state from which a later call goes on, and the loss log."""
    device = next(tokenizer.parameters()).device
    weights = torch.tensor(corpus.representation.loss_weights, device=device)

    def losses(batch: Batch) -> Losses:
        return tokenizer_losses(tokenizer, torch.from_numpy(batch.features).to(device), weights)

    _fit(tokenizer, losses, corpus, schedule, folder, on_step)


def train_model(
    model: KronosTransformer,
    tokenizer: KronosTokenizer,
    corpus: Corpus,
    schedule: Schedule,
    folder: Path,
    on_step: OnStep | None = None,
) -> None:
    """Train a transformer in place on the tokens of a trained tokenizer; state and log as `train_tokenizer`."""
    device = next(model.parameters()).device
    tokenizer.eval()
    _fit(model, lambda batch: model_losses(model, tokenizer, batch, device), corpus, schedule, folder, on_step)


def variance_gain(tokenizer: KronosTokenizer, batch: Batch) -> tuple[list[float], list[float]]:
    """Feature means, and standard deviations of the real features over those of the decoded ones.

    Args:
        tokenizer: a trained tokenizer.
        batch: windows of the training data.

    Returns:
        Two lists of `width` numbers for the settings of `Returns`.
    """
    tokenizer.eval()
    with torch.no_grad():
        features = torch.from_numpy(batch.features)
        decoded = tokenizer.decode(tokenizer.encode(features, half=True), half=True)
    real, seen = features.flatten(0, 1).double(), decoded.flatten(0, 1).double()
    gain = real.std(dim=0) / seen.std(dim=0).clamp_min(1e-6)
    return real.mean(dim=0).tolist(), gain.tolist()


def _fit(
    module: nn.Module,
    losses: Callable[[Batch], Losses],
    corpus: Corpus,
    schedule: Schedule,
    folder: Path,
    on_step: OnStep | None,
) -> None:
    """Minimise `losses(batch)["loss"]`; step k draws from its own stream, so a resumed training is the same one."""
    folder.mkdir(parents=True, exist_ok=True)
    optimizer = _optimizer(module, schedule)
    first = _resume(module, optimizer, schedule, folder)
    _cut_log(folder, first)
    device = next(module.parameters()).device.type
    module.train()
    for step in range(first, schedule.steps):
        started = time.perf_counter()
        torch.manual_seed(schedule.seed * 1_000_003 + step)
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(step)
        batch = corpus.draw(schedule.batch, np.random.default_rng([schedule.seed, step]))
        with torch.autocast(device, dtype=torch.bfloat16, enabled=schedule.precision == "bfloat16"):
            terms = losses(batch)
        optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        parts = {name: float(term.detach()) for name, term in terms.items()}
        seconds = time.perf_counter() - started
        progress = Progress(step + 1, schedule.steps, parts.pop("loss"), parts, batch.features[..., 0].size / seconds)
        _log(folder, progress)
        if on_step is not None:
            on_step(progress)
        if (step + 1) % schedule.save_every == 0 or step + 1 == schedule.steps:
            _save(module, optimizer, schedule, step + 1, folder)
    module.eval()


def _optimizer(module: nn.Module, schedule: Schedule) -> torch.optim.AdamW:
    matrices = [parameter for parameter in module.parameters() if parameter.ndim >= 2]
    vectors = [parameter for parameter in module.parameters() if parameter.ndim < 2]
    groups = [{"params": matrices, "weight_decay": schedule.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=schedule.learning_rate, betas=(0.9, 0.95))


def read_log(folder: Path) -> dict[str, list[float]]:
    """The loss log of a training: "step", "loss" and its parts, each with one number per step."""
    with (folder / LOG).open(encoding="utf-8", newline="") as opened:
        header, *rows = csv.reader(opened)
    return {name: [float(row[place]) for row in rows] for place, name in enumerate(header)}


def _cut_log(folder: Path, step: int) -> None:
    """Drop the lines of steps after the saved one, which are taken again."""
    path = folder / LOG
    if path.is_file():
        header, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True) or [""]
        kept = [line for line in lines if int(line.split(",")[0]) <= step]
        put_text(path, "".join([header, *kept]) if kept else "")


def _log(folder: Path, progress: Progress) -> None:
    path = folder / LOG
    with path.open("a", encoding="utf-8") as log:
        if log.tell() == 0:
            log.write(",".join(["step", "loss", *progress.parts]) + "\n")
        log.write(
            ",".join([str(progress.step), *(f"{x:.6f}" for x in (progress.loss, *progress.parts.values()))]) + "\n"
        )


def _save(module: nn.Module, optimizer: torch.optim.AdamW, schedule: Schedule, step: int, folder: Path) -> None:
    """Weights and both moments of AdamW in one safetensors file, written whole or not at all."""
    tensors = {f"weight.{name}": tensor.contiguous() for name, tensor in module.state_dict().items()}
    for name, parameter in module.named_parameters():
        for moment in ("exp_avg", "exp_avg_sq"):
            if parameter in optimizer.state:
                tensors[f"{moment}.{name}"] = optimizer.state[parameter][moment].contiguous()
    metadata = {"step": str(step), "schedule": json.dumps(asdict(schedule))}
    content = save({name: tensor.clone() for name, tensor in tensors.items()}, metadata)
    put(folder / STATE, lambda path: path.write_bytes(content))


def _resume(module: nn.Module, optimizer: torch.optim.AdamW, schedule: Schedule, folder: Path) -> int:
    """Load the saved state, if there is one, and return the step to go on from."""
    path = folder / STATE
    if not path.is_file():
        return 0
    remedy = "repeat its settings to go on, or give another `out` to start again"
    try:
        metadata, tensors = _metadata(path), load_file(path)
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(f"{path} is not a whole training state ({reason}); delete it to start again") from None
    if json.loads(metadata.get("schedule", "{}")) != asdict(schedule):
        raise CheckpointError(f"{path} was saved under another schedule ({metadata.get('schedule')}); {remedy}")
    weights = {key.removeprefix("weight."): tensor for key, tensor in tensors.items() if key.startswith("weight.")}
    own = module.state_dict()
    if weights.keys() != own.keys() or any(weights[key].shape != own[key].shape for key in own):
        raise CheckpointError(f"{path} was saved by a network of other sizes; {remedy}")
    module.load_state_dict(weights)
    step = int(metadata["step"])
    for name, parameter in module.named_parameters():
        if f"exp_avg.{name}" in tensors:
            optimizer.state[parameter] = {
                "step": torch.tensor(float(step)),
                "exp_avg": tensors[f"exp_avg.{name}"].to(parameter.device),
                "exp_avg_sq": tensors[f"exp_avg_sq.{name}"].to(parameter.device),
            }
    return step


def _metadata(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="pt") as opened:
        return dict(opened.metadata() or {})
