from __future__ import annotations

import subprocess
import sys

import pytest

from stresslab.core.errors import InputError
from stresslab.generators.kronos import device_name as module
from stresslab.generators.kronos.device import find_device
from stresslab.generators.kronos.device_name import device_name


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_the_name_is_that_of_the_device_found(name: str) -> None:
    """With torch and without its import, the same."""
    assert device_name(name) == str(find_device(name))
    code = f"from stresslab.generators.kronos.device_name import device_name; print(device_name({name!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(find_device(name))


def test_a_build_for_graphics_processors_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one might be used, torch itself says whether it is."""
    asked = []
    monkeypatch.setattr(module, "_may_have_gpu", lambda: True)
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr("stresslab.generators.kronos.device.find_device", lambda name: asked.append(name) or "cuda")
    assert device_name("auto") == "cuda"
    assert asked == ["auto"]


def test_a_device_that_there_is_not_is_refused() -> None:
    """As by `find_device`."""
    with pytest.raises(InputError, match="give auto or cpu"):
        device_name("abacus")
