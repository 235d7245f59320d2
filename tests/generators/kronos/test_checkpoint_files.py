from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stresslab.core.errors import CheckpointError
from stresslab.generators.kronos.checkpoint import load_checkpoint
from stresslab.generators.kronos.checkpoint_files import NANO, find_checkpoint
from tests.generators.kronos.cases import case


def names(tiny: Path) -> list[str]:
    """The bundled checkpoint, and one of each representation in a folder."""
    return [NANO, str(tiny), str(case("within_context").folder)]


def test_files_say_what_the_loaded_checkpoint_says(tiny: Path) -> None:
    """Size and representation are known before a weight is loaded."""
    for name in names(tiny):
        files, loaded = find_checkpoint(name), load_checkpoint(name)
        about = files.describe()
        assert about["parameters"] == sum(parameter.numel() for parameter in loaded.model.parameters())
        assert about["representation"] == loaded.representation.settings()["kind"]


def test_no_torch_is_needed_to_know_a_checkpoint() -> None:
    """Neither for the files nor for what the generator says of itself."""
    code = (
        "import sys, stresslab as sl\n"
        "generator = sl.Kronos()\n"
        "assert generator.describe()['hashes']['model']\n"
        "assert generator.advice(250) is None\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("False", "True" if _built_for_gpu() else "False")


def _built_for_gpu() -> bool:
    from stresslab.generators.kronos.device_name import _may_have_gpu

    return _may_have_gpu()


def test_a_name_of_nothing_is_refused() -> None:
    """In a line that names what there is."""
    with pytest.raises(CheckpointError, match="is neither nano, nor a folder"):
        find_checkpoint("micro")
