"""Where networks run: a device by the name that a user gives it; what runs there is not known here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import torch

from stresslab.core.errors import InputError


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


class _Threads:
    """Counts who needs one thread per tile, so that sums are taken in the same order whatever the machine."""

    def __init__(self) -> None:
        self.lock, self.users, self.before = Lock(), 0, 1

    @contextmanager
    def single(self) -> Iterator[None]:
        """One thread within; the last to leave restores the setting."""
        with self.lock:
            if self.users == 0:
                self.before = torch.get_num_threads()
                torch.set_num_threads(1)
            self.users += 1
        try:
            yield
        finally:
            with self.lock:
                self.users -= 1
                if self.users == 0:
                    torch.set_num_threads(self.before)


single_threaded = _Threads().single


def keep_to_threads() -> None:
    """Let oneDNN keep to torch's number of threads in the calling thread too: torch hands it on when it is asked for.

    Until then a new thread has as many as there are cores.
    """
    torch.get_num_threads()
