"""What the sections say: contrasts between strategies, what a report rests on, candles of the worst universes."""

from __future__ import annotations

import tomllib
from pathlib import Path


def test_every_template_is_packaged() -> None:
    """What a section is set by is installed with the package, wherever it lies below the templates."""
    root = Path(__file__).parents[3]
    declared = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
        "package-data"
    ]
    package = root / "stresslab"
    shipped = {path for pattern in declared["stresslab"] for path in package.glob(pattern)}
    templates = {path for path in (package / "report" / "templates").rglob("*") if path.is_file()}
    assert len(templates) > 10
    assert templates <= shipped
