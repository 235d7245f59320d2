"""Where networks run: a device by the name that a user gives it; what runs there is not known here."""

from __future__ import annotations

import torch

from stresslab.errors import InputError


def find_device(name: str) -> torch.device:
    """The device of that name, tried out.

    Args:
        name: "auto" (a GPU where there is one), "cpu", "cuda" or another name torch knows.

    Raises:
        InputError: torch cannot use it here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device).cpu()
    except (RuntimeError, AssertionError, ImportError) as error:
        reason = str(error).splitlines()[0].split(". ")[0]
        raise InputError(f"device={name!r} cannot be used ({reason}); give auto or cpu") from None
    return device
