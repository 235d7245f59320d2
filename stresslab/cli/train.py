"""`stresslab train`: a tokenizer, then a model, from the user's own bars, by `generators.kronos.train.presets`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stresslab.cli import options
from stresslab.cli.console import progress, say
from stresslab.cli.short_help import Group, Plain
from stresslab.cli.values import number, whole
from stresslab.core.errors import DataError, InputError

if TYPE_CHECKING:
    from stresslab.generators.kronos.checkpoint import Checkpoint
    from stresslab.generators.kronos.train.bar_files import Material, Sizes
    from stresslab.generators.kronos.train.loop import Progress, Schedule

EXAMPLE = """Example:

stresslab train tokenizer --data bars/ --out models/mine --steps 1000

stresslab train model --data bars/ --out models/mine --steps 3000

stresslab run strategies/sma_cross.py --data my_bars.csv --model models/mine

Or tune an existing model:

stresslab train model --from nano --data bars/ --out models/mine
"""

app = typer.Typer(cls=Group, help="Train a Kronos of your own: first its tokenizer, then the model.", epilog=EXAMPLE)

MATERIAL, NETWORK, TRAINING = "Bars", "Network", "Training"
RATE, TUNING_RATE = 2e-3, 2e-4
"""Peak learning rates of random weights, and of trained ones, which ten times as much would undo."""
TOKENIZER_STEPS, MODEL_STEPS, TUNING_STEPS = 1200, 3000, 500


def _number(panel: str, metavar: str, text: str, parser: Callable[[Any], float] = whole) -> Any:
    return typer.Option(metavar=metavar, help=text, rich_help_panel=panel, parser=parser)


Data = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SOURCE",
        help="File or folder of files with the series to learn from; may be repeated. A file may hold many symbols.",
        rich_help_panel=MATERIAL,
        show_default=False,
    ),
]
Cut = Annotated[
    str | None,
    typer.Option(
        metavar="DATE", help="End of the training data; by default a tenth of each source's bars lie after it.",
        rich_help_panel=MATERIAL,
    ),
]  # fmt: skip
Skip = Annotated[
    bool,
    typer.Option(
        "--skip-bad", metavar="", help="Leave out files and symbols that cannot be used, and name them.",
        rich_help_panel=MATERIAL, show_default=False,
    ),
]  # fmt: skip
Out = Annotated[str, typer.Option(metavar="DIR", help="Folder of the model: holds model/ and tokenizer/.")]
From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="MODEL",
        help="Start from this checkpoint's weights: nano, a folder, or an id on the hub. It keeps its sizes.",
    ),
]  # fmt: skip
Context = Annotated[int, _number(NETWORK, "BARS", "Window of the model; with --from, of the training at most.")]
Bits = Annotated[int, _number(NETWORK, "N", "Bits of each of the two tokens.")]
Width = Annotated[int, _number(NETWORK, "N", "Width of the network.")]
Layers = Annotated[int, _number(NETWORK, "N", "Transformer blocks.")]
Heads = Annotated[int, _number(NETWORK, "N", "Attention heads.")]
Steps = Annotated[
    int | None,
    _number(
        TRAINING, "N",
        f"Optimizer steps; by default {TOKENIZER_STEPS:,} for a tokenizer, {MODEL_STEPS:,} for a model, and "
        f"{TUNING_STEPS} with --from.",
    ),
]  # fmt: skip
Batch = Annotated[int, _number(TRAINING, "N", "Windows per step.")]
Rate = Annotated[
    float | None,
    _number(
        TRAINING, "R", f"Peak learning rate; by default {RATE:g}, and {TUNING_RATE:g} with --from.", number
    ),
]  # fmt: skip
Seed = Annotated[int, _number(TRAINING, "N", "Of initial weights and windows.")]
Precision = Annotated[
    str, typer.Option(metavar="TYPE", help="float32, or bfloat16 where it is faster.", rich_help_panel=TRAINING)
]
Device = Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu or cuda.", rich_help_panel=TRAINING)]


@app.command(epilog=EXAMPLE, cls=Plain)
def tokenizer(
    ctx: typer.Context,
    data: Data = None,
    out: Out = "models/mine",
    start: From = None,
    cut: Cut = None,
    skip_bad: Skip = False,
    context: Context = 512,
    bits: Bits = 10,
    width: Width = 64,
    layers: Layers = 2,
    steps: Steps = None,
    batch: Batch = 32,
    learning_rate: Rate = None,
    seed: Seed = 0,
    precision: Precision = "float32",
    device: Device = "cpu",
) -> None:
    """Learn how to write bars as tokens; run again to go on after an interruption."""
    from stresslab.generators.kronos.train.presets import make_tokenizer

    flags = {"context": context, "bits": bits, "tokenizer_width": width, "tokenizer_layers": layers}
    given = {name for name in flags if name.removeprefix("tokenizer_") in options.given_flags(ctx)}
    schedule = _schedule(TOKENIZER_STEPS, steps, batch, learning_rate, seed, precision, start)

    def work(job: Job) -> str:
        made = make_tokenizer(
            job.material, job.folder, job.sizes, schedule, start=job.start, device=device, on_step=job.on_step
        )
        _draw(job.folder, "tokenizer", ("loss",), {}, "loss (squared errors and quantizer)")
        return f"tokenizer in {made}; next: stresslab train model --out {out}"

    _train(_Request(data, out, start, cut, skip_bad, flags, given), schedule, work)


@app.command(epilog=EXAMPLE, cls=Plain)
def model(
    ctx: typer.Context,
    data: Data = None,
    out: Out = "models/mine",
    start: From = None,
    cut: Cut = None,
    skip_bad: Skip = False,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Folder of a trained tokenizer; by default tokenizer/ in --out, else that of --from."
        ),
    ] = None,
    context: Context = 512,
    width: Width = 192,
    layers: Layers = 4,
    heads: Heads = 6,
    steps: Steps = None,
    batch: Batch = 16,
    learning_rate: Rate = None,
    seed: Seed = 0,
    precision: Precision = "float32",
    device: Device = "cpu",
) -> None:
    """Learn which bars follow which, and score that on series held out; run again to go on after an interruption."""
    from stresslab.generators.kronos.train.presets import make_model

    flags = {"context": context, "width": width, "layers": layers, "heads": heads}
    given = set(flags) & set(options.given_flags(ctx))
    schedule = _schedule(MODEL_STEPS, steps, batch, learning_rate, seed, precision, start)
    own = None if tokenizer is None else Path(tokenizer)

    def work(job: Job) -> str:
        found = make_model(
            job.material, job.folder, job.sizes, schedule, tokenizer=own, start=job.start, device=device,
            on_step=job.on_step,
        )  # fmt: skip
        marks = {"held-out loss": found.loss, "frequencies of the tokens": found.unigram}
        _draw(job.folder, "model", ("coarse", "fine"), marks, "nats a bar")
        below, shuffled = found.below_unigram, found.above_when_shuffled
        return (
            f"model in {job.folder}\n"
            f"held-out loss {found.loss:.3f} nats a bar, {below.value:.3f} [{below.low:.3f}, {below.high:.3f}] below "
            f"the frequencies of the tokens; {shuffled.value:+.4f} [{shuffled.low:+.4f}, {shuffled.high:+.4f}] when "
            f"the past is shuffled ({found.windows} windows of {found.series} series)"
            f"{_seen_before(job)}\n"
            f"{_calibrated(job)}"
        )

    _train(_Request(data, out, start, cut, skip_bad, flags, given), schedule, work)


@dataclass(frozen=True)
class _Request:
    """What both commands are asked for: bars, folder, checkpoint, and the size flags, of which some were `given`."""

    data: list[str] | None
    out: str
    start: str | None
    cut: str | None
    skip_bad: bool
    flags: Mapping[str, int]
    given: set[str]


@dataclass(frozen=True)
class Job:
    """What a stage works with."""

    material: Material
    folder: Path
    sizes: Sizes
    start: Checkpoint | None
    on_step: Callable[[Progress], None]


def _schedule(
    usual: int, steps: int | None, batch: int, rate: float | None, seed: int, precision: str, start: str | None
) -> Schedule:
    from stresslab.generators.kronos.train.loop import Schedule

    steps = (usual if start is None else TUNING_STEPS) if steps is None else steps
    rate = (RATE if start is None else TUNING_RATE) if rate is None else rate
    return Schedule(steps, batch, rate, seed=seed, precision=precision)


def _train(asked: _Request, schedule: Schedule, work: Callable[[Job], str]) -> None:
    """Load, cut, train with progress, and say what came of it."""
    if not asked.data:
        raise InputError("no bars are given; add --data with a file or a folder of files")
    start, sizes = _start(asked)
    with options.output_folder(asked.out) as folder, progress() as report:
        report("loading", 0, 1)
        material = _material(asked, sizes.context)
        report("loading", 1, 1, f"{len(material.skipped)} bad skipped" if material.skipped else "")

        def on_step(step: Progress) -> None:
            report("training", step.step, schedule.steps, f"loss {step.loss:.3f}, {step.bars_per_second:,.0f} bars/s")

        message = work(Job(material, folder, sizes, start, on_step))
    say("\n".join([message, *_left_out(material)]))


def _start(asked: _Request) -> tuple[Checkpoint | None, Sizes]:
    """The checkpoint that is tuned, if any, and the sizes."""
    from stresslab.generators.kronos.checkpoint import load_checkpoint
    from stresslab.generators.kronos.train.bar_files import Sizes

    if asked.start is None:
        return None, Sizes(**asked.flags)
    if Path(asked.start).resolve() == Path(asked.out).resolve():
        raise InputError(f"--from and --out are both {asked.out}, which would be written over; give another --out")
    start = load_checkpoint(asked.start)
    return start, Sizes.of(start, {name: size for name, size in asked.flags.items() if name in asked.given})


def _material(asked: _Request, context: int) -> Material:
    from stresslab.data import load_series
    from stresslab.data.parsing.timestamps import parse_date
    from stresslab.generators.kronos.train.bar_files import Material

    skipped: list[str] = []
    sources = {}
    for source in asked.data or ():
        try:
            on_bad = (lambda error: skipped.append(str(error))) if asked.skip_bad else None
            sources[source] = load_series(source, on_bad=on_bad)
        except DataError as error:
            hint = "; --skip-bad leaves it out" if Path(source).is_dir() and not asked.skip_bad else ""
            raise DataError(f"{error}{hint}") from None
    cuts: dict[str, Any] = {} if asked.cut is None else dict.fromkeys(sources, parse_date("--cut", asked.cut))
    return Material.of(sources, cuts, context, skipped)


def _seen_before(job: Job) -> str:
    """What to know about the held-out loss of a model whose start may have learned from the held-out bars."""
    if job.start is None or (job.start.files.trained_until or "unknown") <= job.material.trained_until:
        return ""
    until = "an unknown date" if job.start.files.trained_until is None else job.start.files.trained_until
    return f"\n{job.start.files.name} was trained on bars up to {until}: it may have seen the held-out ones"


def _calibrated(job: Job) -> str:
    """Measure the model's universes on the held-out series, and keep that beside its weights."""
    import json

    from stresslab.generators.kronos.checkpoint_files import CALIBRATION
    from stresslab.generators.registry import make_generator
    from stresslab.realism import pooled

    path = job.folder / CALIBRATION
    path.unlink(missing_ok=True)  # of weights that were there before
    made = make_generator("kronos", model=str(job.folder))
    about = f"{len(job.material.held_out)} series that the training held out."
    content = pooled.calibrate(job.material.held_out, made, made.describe()["hashes"], about, jobs=os.cpu_count() or 1)
    if not content["kinds"]:
        return (
            f"not calibrated: no kind of bars has {pooled.FEWEST} held-out origins, so runs cannot call its universes "
            "trusted"
        )
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return f"calibrated on held-out {'; '.join(content['kinds'])}: {path}"


def _left_out(material: Material) -> list[str]:
    """Lines about series that were cut, and about what was not learned from."""
    lines, found = [], material.interrupted
    if any(found.values()):
        lines.append(
            f"series cut where they are interrupted (gaps in time: {found['gaps']:,}, jumps of the price: "
            f"{found['jumps']:,}); bars left out since the price stood still: {found['still_bars']:,}"
        )
    if material.skipped:
        count = len(material.skipped)
        lines += [f"skipped {count} bad {'file or symbol' if count == 1 else 'files or symbols'}:"]
        lines += [f"  {reason}" for reason in material.skipped]
    return lines


def _draw(folder: Path, stage: str, parts: tuple[str, ...], marks: Mapping[str, float], unit: str) -> None:
    """The picture of a finished training: `loss.png`, or `tokenizer-loss.png` for the first stage."""
    import numpy as np

    from stresslab.generators.kronos.train.loop import read_log
    from stresslab.generators.kronos.train.presets import STATES
    from stresslab.report.charts.training_loss import write_losses

    log = read_log(folder / STATES / stage)
    losses = np.sum([log[part] for part in parts], axis=0)
    name = "loss.png" if stage == "model" else f"{stage}-loss.png"
    write_losses(folder / name, np.array(log["step"], dtype=np.int64), losses, marks, unit)
