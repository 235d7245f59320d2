"""The name of the device where networks will run, found without importing torch where its build allows no other."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

CUDA = ("torch_cuda", "torch_hip", "c10_cuda", "c10_hip")
"""Libraries that a build of torch for graphics processors has, and no other."""


def device_name(name: str) -> str:
    """What `find_device` makes of a name, as text.

    Raises:
        InputError: torch cannot use it here.
    """
    if name == "cpu" or (name == "auto" and "torch" not in sys.modules and not _may_have_gpu()):
        return "cpu"
    from stresslab.generators.kronos.device import find_device

    return str(find_device(name))


def _may_have_gpu() -> bool:
    """Whether the torch that is installed was built for graphics processors; True where that cannot be seen."""
    spec = importlib.util.find_spec("torch")
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    folders = [Path(place) / "lib" for place in places]
    if not any(folder.is_dir() for folder in folders):
        return True
    return any(part in file.name for folder in folders for file in folder.iterdir() for part in CUDA)
