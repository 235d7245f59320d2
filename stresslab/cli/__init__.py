"""The command line: one thin command per file, and the one place where errors become a line and an exit code.

The library does the work; it is imported when a command runs, so that `--help` is quick.
"""

from __future__ import annotations

import errno
import io
import os
import re
import sys
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from typer.main import get_command

from stresslab.cli import (
    cache,
    check,
    compare,
    console,
    freeze,
    index,
    limits,
    mcp,
    models,
    new,
    options,
    realism,
    replay,
    report,
    rerun,
    resume,
    run,
    sample,
    scenarios,
    show,
    size,
    strategies,
    track,
    trades,
    train,
    verify,
)
from stresslab.cli.short_help import Group, Plain
from stresslab.core.errors import InputError, InterruptedRunError
from stresslab.core.logs import LEVELS, Log, recording

WELCOME = """stresslab: was your backtest luck or logic?

  stresslab run example:sma_cross --data sample:bitcoin    a strategy on real bars: the verdict, and a page
  stresslab check my_strategy.py --data my_bars.csv        does it run, and does it look ahead?
  stresslab run my_strategy.py --data my_bars.csv --watch  judge it, and again whenever you save it

stresslab --help lists all commands, stresslab run --help all settings; stresslab --install-completion lets Tab
complete them."""
"""What the command says when it is asked for nothing."""
DONE, OUR_FAULT, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 3
"""Exit codes; `run` adds 4."""


COMPLETE = "_STRESSLAB_COMPLETE"
"""Environment variable by which shells ask for completions."""
THE_SYSTEMS = frozenset(
    getattr(errno, name)
    for name in (
        *("EACCES", "EDQUOT", "EFBIG", "EIO", "EISDIR", "ELOOP", "EMFILE", "ENAMETOOLONG", "ENFILE"),
        *("ENOSPC", "ENOTDIR", "EPERM", "EROFS", "ESTALE"),
    )
    if hasattr(errno, name)
)
"""Errors of files and disks, which the user can put right."""


@dataclass
class State:
    """What the flags before the command say."""

    debug: bool = False
    log: Log = field(default_factory=lambda: Log("info"))


app = typer.Typer(
    name="stresslab",
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example:\n\nstresslab run strategies/sma_cross.py --data sample:nasdaq",
)
JUDGE, STORED, DECIDE, MATERIAL = "Judge a strategy", "Read a stored run", "Decide and watch", "Bars, universes, models"
for panel, commands in {
    JUDGE: (
        (run, run.run), (check, check.check), (new, new.new), (strategies, strategies.strategies),
        (trades, trades.trades), (freeze, freeze.freeze),
    ),
    STORED: (
        (show, show.show), (report, report.report), (compare, compare.compare), (index, index.index),
        (replay, replay.replay), (verify, verify.verify), (rerun, rerun.rerun), (resume, resume.resume),
    ),
    DECIDE: ((size, size.size), (limits, limits.limits), (track, track.track)),
    MATERIAL: (
        (realism, realism.realism), (sample, sample.sample), (models, models.models),
        (scenarios, scenarios.scenarios), (cache, cache.cache), (mcp, mcp.mcp),
    ),
}.items():  # fmt: skip
    for module, command in commands:
        helped = getattr(command, "help_class", Plain)
        app.command(epilog=module.EXAMPLE, cls=helped, rich_help_panel=panel)(command)
app.add_typer(train.app, name="train", rich_help_panel=MATERIAL)


def _version(wanted: bool) -> None:
    if wanted:
        import stresslab

        console.say(f"stresslab {stresslab.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def stresslab(
    ctx: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="STRESSLAB_DEBUG", help="Show the traceback of an error, and warnings.")
    ] = False,
    log_level: Annotated[
        str, typer.Option("--log-level", metavar="LEVEL", help=f"What a run's log.jsonl keeps: {', '.join(LEVELS)}.")
    ] = "info",
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Was it luck? Monte Carlo stress tests of trading strategies in parallel universes."""
    state = ctx.ensure_object(State)
    state.debug = debug
    if log_level not in LEVELS:
        raise InputError(f"--log-level {log_level!r} is not a level; choose one of {', '.join(LEVELS)}")
    state.log = ctx.with_resource(recording(log_level, warnings=not debug))
    if not debug:
        warnings.simplefilter("once")  # into the log
    if ctx.invoked_subcommand is None:
        console.say(WELCOME)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Args:
        arguments: what follows the program's name; that of this process by default.
    """
    if COMPLETE in os.environ:  # a shell asks what could follow
        get_command(app).main([], "stresslab", complete_var=COMPLETE)
    state = State()
    console.open_standard_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Unicode is no reason to fail
    try:
        with warnings.catch_warnings():
            given = options.joined_sources(sys.argv[1:] if arguments is None else arguments)
            if given and given[0] in ("--show-completion", "--install-completion"):
                return _completion(given)
            _check_values(get_command(app), given)
            with get_command(app).make_context("stresslab", given, obj=state) as context:
                context.command.invoke(context)
        console.finish()
        return DONE
    except typer.Exit as end:
        return end.exit_code
    except BrokenPipeError:
        console.silence(sys.stdout)
        return DONE
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        if isinstance(error.__context__, BrokenPipeError):  # how rich leaves when the reader has gone
            return DONE
        if state.debug:
            traceback.print_exc()
        code, line = explain(error)
        console.complain(line)
        return code


def _check_values(command: Any, words: Sequence[str]) -> None:
    """Refuse a flag that takes a value and is followed by nothing, or by another flag, which would be taken for it."""
    known = {flag: one for one in command.params for flag in one.opts if flag.startswith("--")}
    for at, word in enumerate(words):
        if word == "--":
            return
        if word in getattr(command, "commands", {}):
            return _check_values(command.commands[word], words[at + 1 :])
        follows = words[at + 1] if at + 1 < len(words) else "nothing"
        if word in known and not known[word].is_flag and (follows in known or at + 1 == len(words)):
            raise InputError(f"{word} needs a value ({known[word].metavar or 'see --help'}), and {follows} follows it")
    return None


def _completion(given: Sequence[str]) -> int:
    """Show or install the completion of a shell, at whose end typer exits."""
    try:
        get_command(app).main(given, "stresslab", standalone_mode=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else DONE
    return DONE


def as_flags(text: str) -> str:
    """A message of the library with its arguments spelled as flags: `horizon=120` is --horizon 120."""
    flags = _flags(get_command(app))

    def spelled(found: re.Match[str]) -> str:
        name, value = found[1], found[2]
        if name not in flags:
            return found[0]
        return f"{flags[name]} {value}" if value else flags[name]

    return re.sub(r"`([a-z_]+)(?:=([^`]*))?`", spelled, text)


def _flags(command: Any) -> dict[str, str]:
    """The flag of each option by its name, of a command and of all below it."""
    found = {one.name: one.opts[0] for one in command.params if one.param_type_name == "option"}
    for inner in getattr(command, "commands", {}).values():
        found |= _flags(inner)
    return found


def explain(error: BaseException) -> tuple[int, str]:
    """The exit code of an error, and the line that says it."""
    if isinstance(error, InputError):
        return WRONG_INPUT, as_flags(str(error))
    if isinstance(error, InterruptedRunError):
        return INTERRUPTED, as_flags(str(error))
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted; nothing half-written is left, run the command again to start over"
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "stresslab"
        return WRONG_INPUT, f"{error.format_message().rstrip('.')}; see {command} --help"
    if isinstance(error, MemoryError):
        return WRONG_INPUT, "memory is exhausted; give fewer --universes or a shorter --horizon"
    if isinstance(error, OSError) and error.errno in THE_SYSTEMS:
        where = f"{error.filename}: " if error.filename else ""
        return WRONG_INPUT, f"{where}{error.strerror}; check the path, its permissions and the free space there"
    return OUR_FAULT, (
        f"stresslab failed with {type(error).__name__}: {error}; this is our fault, not yours: please report it with "
        "what `stresslab --debug ...` shows"
    )
