"""Installs the lowest and the newest versions that pyproject.toml allows, each in an environment of its own, and runs.

Everything that is optional is installed too. Run `python benchmarks/bounds.py` (several GB a set where torch comes with
CUDA libraries; `--torch VERSION` takes one that the index has without them). Prints what was installed and whether
small runs end well: Kronos, GARCH over Dask with an exchange's holidays, a PDF; exits with 1 where one did not.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SMALL = ("--universes", "64", "--horizon", "20", "--realism-origins", "2", "--permutations", "99", "--jobs", "1")
RUNS = (
    ("run", "example:sma_cross", "--data", "sample:nasdaq", *SMALL, "--out", "one"),
    ("run", "example:sma_cross", "--data", "sample:nasdaq", "--exchange", "XNYS", "--generator", "garch", *SMALL,
     "--backend", "dask", "--out", "two"),
)  # fmt: skip
RENDER = (
    "import glob, sys, stresslab.cli as cli; "
    "sys.exit(cli.main(['report', *glob.glob('one/2*'), '--format', 'html,pdf,png']))"
)
SOURCES = "import ccxt, yfinance; import stresslab.data.sources.remote"


def requirements(lowest: bool, torch: str | None = None) -> list[str]:
    """What the package depends on, optional parts included, each at its lower bound or as it is written.

    Args:
        lowest: pin each to the version that its `>=` names.
        torch: its version in either set; None for the bound, or the newest.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    written = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    wanted = [re.sub(r">=([\w.]+).*", r"==\1", one) if lowest else one for one in written]
    return [f"torch=={torch}" if torch and re.match(r"torch\b", one) else one for one in wanted]


def tried(lowest: bool, torch: str | None = None) -> bool:
    """Whether runs end well with the lowest or the newest versions."""
    with tempfile.TemporaryDirectory() as place:
        venv.create(place, with_pip=True)
        python = str(Path(place) / ("Scripts" if sys.platform == "win32" else "bin") / "python")
        commands = (
            [python, "-m", "pip", "install", "--quiet", *requirements(lowest, torch)],
            [python, "-m", "pip", "install", "--quiet", "--no-deps", str(ROOT)],
            [python, "-m", "pip", "freeze"],
            *([python, "-m", "stresslab", *run] for run in RUNS),
            [python, "-c", RENDER],
            [python, "-c", SOURCES],
        )
        return all(_ends_well(command, place) for command in commands)


def _ends_well(command: list[str], place: str) -> bool:
    """Whether a command does; one that does not is named."""
    well = subprocess.run(command, cwd=place, check=False).returncode == 0
    if not well:
        sys.stdout.write(f"failed: {' '.join(command[1:])}\n")
        sys.stdout.flush()
    return well


def main() -> int:
    """Try the sets that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", choices=["lowest", "newest"], default=["lowest", "newest"])
    parser.add_argument("--torch", help="version of torch in both sets, where the index has one without CUDA libraries")
    asked = parser.parse_args()
    found = {name: tried(name == "lowest", asked.torch) for name in asked.sets}
    for name, well in found.items():
        sys.stdout.write(f"{name}: {'runs' if well else 'does not run'}\n")
    return 0 if all(found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
