"""`stresslab train`: a tokenizer, then a model, from the user's own bars; the work is `recipes`'s."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stresslab.cli import options
from stresslab.cli.console import progress, say
from stresslab.errors import InputError

if TYPE_CHECKING:
    from stresslab.generators.kronos.recipes import Material, Sizes
    from stresslab.generators.kronos.training import Progress, Schedule

EXAMPLE = """Example:

stresslab train tokenizer --data bars/ --out models/mine --steps 1000

stresslab train model --data bars/ --out models/mine --steps 3000

stresslab run strategies/sma_cross.py --data my_bars.csv --model models/mine
"""

app = typer.Typer(help="Train a Kronos of your own: first its tokenizer, then the model.", epilog=EXAMPLE)

MATERIAL, NETWORK, TRAINING = "Bars", "Network", "Training"


def _number(panel: str, metavar: str, text: str, parser: Callable[[Any], float] = options.whole) -> Any:
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
Out = Annotated[str, typer.Option(metavar="DIR", help="Folder of the model: holds model/ and tokenizer/.")]
Context = Annotated[int, _number(NETWORK, "BARS", "Window of the model.")]
Bits = Annotated[int, _number(NETWORK, "N", "Bits of each of the two tokens.")]
Width = Annotated[int, _number(NETWORK, "N", "Width of the network.")]
Layers = Annotated[int, _number(NETWORK, "N", "Transformer blocks.")]
Heads = Annotated[int, _number(NETWORK, "N", "Attention heads.")]
Steps = Annotated[int, _number(TRAINING, "N", "Optimizer steps.")]
Batch = Annotated[int, _number(TRAINING, "N", "Windows per step.")]
Rate = Annotated[float, _number(TRAINING, "R", "Peak learning rate.", options.number)]
Seed = Annotated[int, _number(TRAINING, "N", "Of initial weights and windows.")]
Precision = Annotated[
    str, typer.Option(metavar="TYPE", help="float32, or bfloat16 where it is faster.", rich_help_panel=TRAINING)
]
Device = Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu or cuda.", rich_help_panel=TRAINING)]


@app.command(epilog=EXAMPLE)
def tokenizer(
    data: Data = None,
    out: Out = "models/mine",
    cut: Cut = None,
    context: Context = 512,
    bits: Bits = 10,
    width: Width = 64,
    layers: Layers = 2,
    steps: Steps = 1200,
    batch: Batch = 32,
    learning_rate: Rate = 2e-3,
    seed: Seed = 0,
    precision: Precision = "float32",
    device: Device = "cpu",
) -> None:
    """Learn how to write bars as tokens; run again to go on after an interruption."""
    from stresslab.generators.kronos.recipes import Sizes, make_tokenizer
    from stresslab.generators.kronos.training import Schedule

    sizes = Sizes(context=context, bits=bits, tokenizer_width=width, tokenizer_layers=layers)
    schedule = Schedule(steps, batch, learning_rate, seed=seed, precision=precision)

    def work(material: Material, folder: Path, on_step: Callable[[Progress], None]) -> str:
        made = make_tokenizer(material, folder, sizes, schedule, device=device, on_step=on_step)
        return f"tokenizer in {made}; next: stresslab train model --out {out}"

    _train(data, out, cut, sizes, schedule, work)


@app.command(epilog=EXAMPLE)
def model(
    data: Data = None,
    out: Out = "models/mine",
    cut: Cut = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Folder of a trained tokenizer; by default tokenizer/ in --out."),
    ] = None,
    context: Context = 512,
    width: Width = 192,
    layers: Layers = 4,
    heads: Heads = 6,
    steps: Steps = 3000,
    batch: Batch = 16,
    learning_rate: Rate = 2e-3,
    seed: Seed = 0,
    precision: Precision = "float32",
    device: Device = "cpu",
) -> None:
    """Learn which bars follow which, and score that on series held out; run again to go on after an interruption."""
    from stresslab.generators.kronos.recipes import Sizes, make_model
    from stresslab.generators.kronos.training import Schedule

    sizes = Sizes(context=context, width=width, layers=layers, heads=heads)
    schedule = Schedule(steps, batch, learning_rate, seed=seed, precision=precision)
    own = None if tokenizer is None else Path(tokenizer)

    def work(material: Material, folder: Path, on_step: Callable[[Progress], None]) -> str:
        found = make_model(material, folder, sizes, schedule, tokenizer=own, device=device, on_step=on_step)
        below, shuffled = found.below_unigram, found.above_when_shuffled
        return (
            f"model in {folder}\n"
            f"held-out loss {found.loss:.3f} nats a bar, {below.value:.3f} [{below.low:.3f}, {below.high:.3f}] below "
            f"the frequencies of the tokens; {shuffled.value:+.4f} [{shuffled.low:+.4f}, {shuffled.high:+.4f}] when "
            f"the past is shuffled ({found.windows} windows of {found.series} series)"
        )

    _train(data, out, cut, sizes, schedule, work)


Work = Callable[["Material", Path, Callable[["Progress"], None]], str]


def _train(data: list[str] | None, out: str, cut: str | None, sizes: Sizes, schedule: Schedule, work: Work) -> None:
    """Load, cut, train with progress, and say what came of it."""
    if not data:
        raise InputError("no bars are given; add --data with a file or a folder of files")
    with options.output_folder(out) as folder, progress() as report:
        report("loading", 0, 1)
        material = _material(data, cut, sizes.context)
        report("loading", 1, 1)
        message = work(material, folder, lambda step: report("training", step.step, schedule.steps))
    say(message)


def _material(data: list[str], cut: str | None, context: int) -> Material:
    from stresslab.data import load_series
    from stresslab.data.timestamps import parse_date
    from stresslab.generators.kronos.recipes import Material

    sources = {source: load_series(source) for source in data}
    cuts: dict[str, Any] = {} if cut is None else dict.fromkeys(sources, parse_date("--cut", cut))
    return Material.of(sources, cuts, context)
