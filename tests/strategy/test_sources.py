"""The modules that a strategy imports are found without running any of them."""

from __future__ import annotations

from pathlib import Path

from stresslab.strategy.sources import local_sources


def test_every_local_module_is_found(tmp_path: Path) -> None:
    """Imports of any spelling, anywhere in the code, of modules and packages, of what these import in turn."""
    files = {
        "mine.py": "import numpy\nimport first\nfrom . import second\n\n\ndef f():\n    from pack.deep import third\n",
        "first.py": "import first\nfrom pack import name\n",
        "second.py": "raise SystemError\n",
        "pack/__init__.py": "",
        "pack/deep/__init__.py": "from ..other import x\nfrom ... import outside\n",
        "pack/deep/third.py": "not Python\n",
        "pack/other.py": "import json\n",
        "unused.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path.parent / "outside.py").write_text("")
    found = local_sources(tmp_path / "mine.py")
    assert next(iter(found)) == "mine.py"
    assert set(found) == set(files) - {"unused.py"}
    assert found["first.py"] == files["first.py"].encode()
