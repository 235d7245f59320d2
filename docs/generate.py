"""Writes the parts of the documentation that follow from the code: run `python docs/generate.py` after changing it.

`commands.md` comes from the command line, `result.schema.json` from `analysis.result_schema`, and the list of formulas
in `method.md` from the docstrings of `stresslab.metrics` and of what draws conclusions from them. A test compares
what is there with what this writes.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any

from typer.main import get_command

DOCS = Path(__file__).resolve().parent
BEGIN, END = "<!-- formulas: written by docs/generate.py -->", "<!-- end of formulas -->"


CONCLUDE = {
    "analysis.edge": ("edge_label", "standing_in_universes", "standing_of_real_bars", "standing_at_origins"),
    "analysis.walk_forward": ("regime", "effective_origins", "lives"),
    "analysis.shocks": ("worst_bar", "adverse_sign", "gap", "scale_volatility", "closed_from"),
    "generators.inserted_bars": ("gap_bar", "wilder_bars", "halted_bars", "crisis_bars"),
    "generators.bootstrap": ("block_positions", "like_positions"),
    "analysis.permutation_test": ("permutation_test", "sequential_p_value", "affordable"),
    "analysis.verdict": ("implied_sharpe", "universes_needed", "label", "straddled"),
    "runs.trial_ledger": ("marks_of", "same_bars"),
}
"""Formulas outside the metrics, by module."""


def pages() -> dict[str, str]:
    """The content of every generated file by its name in docs/."""
    from stresslab.analysis.result_schema import SCHEMA

    method = (DOCS / "method.md").read_text(encoding="utf-8")
    before, after = method.split(BEGIN)[0], method.split(END)[1]
    return {
        "commands.md": commands(),
        "result.schema.json": json.dumps(SCHEMA, indent=1, ensure_ascii=False) + "\n",
        "method.md": f"{before}{BEGIN}\n\n{formulas()}\n{END}{after}",
    }


def commands() -> str:
    """The reference of the command line."""
    from stresslab.cli import app

    blocks = [
        "# Commands",
        "Written by `docs/generate.py` from the command line itself; `stresslab COMMAND --help` says the same. "
        "[Which flag is for whom](flags.md). "
        "Settings of `run`, `sample` and `realism` may also stand in a YAML file given as `--config`; a flag wins "
        "over it.",
        "Exit codes: 0 done; 2 the input is wrong (one line says what); 3 interrupted; 4 a verdict that `--fail-on` "
        "names; 1 our fault.",
    ]
    for words, command in _walk(get_command(app), ("stresslab",)):
        blocks.append(f"## {' '.join(words)}")
        blocks.append(_sentences(command.help))
        if getattr(command, "commands", None):
            continue
        blocks.append(f"```text\n{' '.join(words)} {_usage(command)}\n```")
        rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            blocks.append("\n".join(["| | | default |", "|---|---|---|", *rows]))
        example = _example(command.epilog or "")
        if example:
            blocks.append(f"```console\n{example}\n```")
    return "\n\n".join(blocks) + "\n"


def _walk(command: Any, words: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", {})
    here = [(words, command)] if words != ("stresslab",) else []
    return here + [found for name, one in inner.items() for found in _walk(one, (*words, name))]


def _sentences(text: str | None) -> str:
    return " ".join(inspect.cleandoc(text or "").split())


def _usage(command: Any) -> str:
    arguments = [
        f"{one.metavar or one.name.upper()}{' ...' if one.nargs == -1 else ''}"
        for one in command.params
        if one.param_type_name == "argument"
    ]
    return " ".join([*arguments, "[OPTIONS]"])


def _row(parameter: Any) -> str:
    """A line of the table: names, help and default."""
    if parameter.param_type_name == "argument":
        name = f"`{parameter.metavar or parameter.name.upper()}`"
    else:
        sign = "" if parameter.is_flag or not parameter.metavar else f" {parameter.metavar}"
        name = f"`{parameter.opts[0]}{sign}`"
    default = parameter.default
    shown = parameter.show_default if isinstance(getattr(parameter, "show_default", None), str) else None
    if shown is None and isinstance(default, str | int | float) and not isinstance(default, bool):
        shown = f"{default:g}" if isinstance(default, float) else str(default)
    escaped = _sentences(parameter.help).replace("|", "\\|")
    return f"| {name.replace('|', chr(92) + '|')} | {escaped} | {f'`{shown}`' if shown else ''} |"


def _example(epilog: str) -> str:
    lines = [line.strip() for line in epilog.splitlines()]
    return "\n".join(line for line in lines if line.startswith("stresslab"))


def formulas() -> str:
    """Every public function of the metrics with the first paragraph of its docstring: formula and source."""
    package = importlib.import_module("stresslab.metrics")
    names = [f"metrics.{info.name}" for info in pkgutil.iter_modules(package.__path__)]
    blocks = []
    for inner in sorted([*names, *CONCLUDE], key=lambda one: one.rpartition(".")[2]):
        module = importlib.import_module(f"stresslab.{inner}")
        found = [
            (name, one)
            for name, one in vars(module).items()
            if inspect.isfunction(one)
            and one.__module__ == module.__name__
            and name in CONCLUDE.get(inner, {name})
            and not name.startswith("_")
        ]
        if found:
            title = inspect.cleandoc(module.__doc__ or "").splitlines()[0].rstrip(".?")
            rows = [f"- `{name}`: {_first(one)}" for name, one in found]
            blocks.append("\n".join([f"**{inner.rpartition('.')[2]}**: {title[0].lower()}{title[1:]}.", "", *rows]))
    return "\n\n".join(blocks) + "\n"


def _first(function: Any) -> str:
    """The first paragraph of a docstring, with signs that Markdown reads escaped."""
    paragraph = " ".join(inspect.cleandoc(function.__doc__ or "").split("\n\n")[0].split())
    return "".join(f"\\{sign}" if sign in "*_<|" else sign for sign in paragraph)


def main() -> int:
    """Write every file that differs, and say which."""
    for name, content in pages().items():
        path = DOCS / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
            sys.stdout.write(f"docs/{name} written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
