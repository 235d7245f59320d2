"""The README, the guide in docs/ that goes on from it, and the commands in both."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = ("verdict", "data", "execution", "models", "cluster", "python")
GUIDE = "\n".join([README, *((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") for page in PAGES)])
BLOCKS = re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL)
COMMANDS = list(
    dict.fromkeys(
        line.split("     ")[0].strip()
        for block in BLOCKS
        for line in block.splitlines()
        if line.startswith("stresslab ")
    )
)
"""Each once, in their order."""
SHOWN = [line.removeprefix("$ ") for block in BLOCKS for line in block.splitlines() if line.startswith("$ stresslab ")]
"""Commands with their output below them."""
