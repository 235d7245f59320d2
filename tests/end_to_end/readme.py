"""The README and the commands in it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line.split("     ")[0].strip() for block in BLOCKS for line in block.splitlines() if line.startswith("stresslab ")
]
"""In their order."""
