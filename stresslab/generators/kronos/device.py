"""Where networks run: a device by the name that a user gives it; what runs there is not known here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, local

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
    """Counts who needs one thread per tile, so that sums are taken in the same order whatever the machine.

    Torch keeps the number for each thread that has computed, and hands the last one set to threads that are new.
    """

    def __init__(self) -> None:
        self.lock, self.users, self.before, self.mine = Lock(), 0, 1, local()

    @contextmanager
    def single(self) -> Iterator[None]:
        """One thread within; the number that held before anybody came is restored where a thread leaves for good."""
        depth = getattr(self.mine, "depth", 0)
        with self.lock:
            if self.users == 0:
                self.before = torch.get_num_threads()
            self.users += 1
        self.mine.depth = depth + 1
        keep_to_one_thread()
        try:
            yield
        finally:
            self.mine.depth = depth
            with self.lock:
                self.users -= 1
                if depth == 0:
                    torch.set_num_threads(self.before)


def keep_to_one_thread() -> None:
    """Let torch and oneDNN compute in the calling thread alone, not in as many as there are cores."""
    torch.set_num_threads(1)


single_threaded = _Threads().single
