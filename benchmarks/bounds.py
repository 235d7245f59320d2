"""Installs the lowest and the newest versions that pyproject.toml allows, each in an environment of its own, and runs.

Run `python benchmarks/bounds.py` (about 3 GB a set, as the index offers them). Prints what was installed and whether a
small run of the command line ended well; exits with 1 where one did not.
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
RUN = (
    *("run", "example:sma_cross", "--data", "sample:nasdaq", "--universes", "64", "--horizon", "20"),
    *("--realism-origins", "2", "--permutations", "99", "--jobs", "1"),
)


def requirements(lowest: bool, torch: str | None = None) -> list[str]:
    """What the package depends on, each at its lower bound, or as it is written.

    Args:
        lowest: pin each to the version that its `>=` names.
        torch: its version in either set; None for the bound, or the newest.
    """
    written = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    wanted = [re.sub(r">=([\w.]+).*", r"==\1", one) if lowest else one for one in written]
    return [f"torch=={torch}" if torch and re.match(r"torch\b", one) else one for one in wanted]


def tried(lowest: bool, torch: str | None = None) -> bool:
    """Whether a run ends well with the lowest or the newest versions."""
    with tempfile.TemporaryDirectory() as place:
        venv.create(place, with_pip=True)
        python = str(Path(place) / ("Scripts" if sys.platform == "win32" else "bin") / "python")
        commands = (
            [python, "-m", "pip", "install", "--quiet", *requirements(lowest, torch)],
            [python, "-m", "pip", "install", "--quiet", "--no-deps", str(ROOT)],
            [python, "-m", "pip", "freeze"],
            [python, "-m", "stresslab", *RUN, "--out", str(Path(place) / "reports")],
        )
        return all(subprocess.run(command, cwd=place, check=False).returncode == 0 for command in commands)


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
