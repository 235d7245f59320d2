"""Files that are there whole or not at all, whatever stops the writing: a full disk, a kill, a power cut.

A file is written under a hidden name and renamed, so a name that is a link to another file is replaced, never written
through. The caller says what is in the files.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from stresslab.core.errors import InputError

PARTIAL = ".partial-"
"""What the names of folders begin with in which files wait for being whole."""


def put(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that it is there whole or not at all, also after the power fails.

    Args:
        path: of the file; what has that name is replaced.
        write: writes a file of the name that it is given.

    Raises:
        InputError: the disk is full, or the place cannot be written.
    """
    temporary = path.with_name(f".{path.name[:200]}.{os.getpid()}")
    try:
        write(temporary)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        try:
            temporary.unlink(missing_ok=True)
        except OSError:  # a name that could not be written
            pass


def put_text(path: Path, text: str) -> None:
    """Write a text as `put` does."""
    put(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A hidden folder whose files move into `folder` at the end, replacing those of their names; none after an error.

    What processes that were killed left of such folders is removed.

    Args:
        folder: is made where it is missing.

    Raises:
        InputError: the disk is full, or the place cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=folder))
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        with held(partial):
            yield partial
            sync(partial)
            for root, _, names in os.walk(partial):
                target = folder / Path(root).relative_to(partial)
                target.mkdir(exist_ok=True)
                for name in names:
                    os.replace(Path(root) / name, target / name)
    except OSError as error:
        raise _unwritable(folder, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what killed processes left of folders that `staged` makes: those that no process holds."""
    for left in folder.glob(f"{PARTIAL}*"):
        if left.is_dir() and not left.is_symlink() and _free(left):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock on a file or folder, which ends with the process however that ends; Windows has none of this kind.

    Raises:
        BlockingIOError: another process holds it.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Work in a place that no other process works in.

    Args:
        path: the folder, or a file in it.

    Raises:
        InputError: another process does.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(held(path))
        except BlockingIOError:
            place = path if path.is_dir() else path.parent
            raise InputError(f"another process works in {place}; wait for it, or name another folder") from None
        yield


def _free(path: Path) -> bool:
    """Whether no process holds it; without locks, nobody knows."""
    if sys.platform == "win32":
        return False
    try:
        with held(path):
            return True
    except OSError:
        return False


def sync(folder: Path) -> None:
    """Make all files of a folder last."""
    for root, _, names in os.walk(folder):
        for name in names:
            with Path(root, name).open("rb+") as stream:
                os.fsync(stream.fileno())
        sync_folder(Path(root))


def sync_folder(folder: Path) -> None:
    """Make the new name in a folder last, where the system can."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:  # no folder can be opened on Windows
        return
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} cannot be written ({error.strerror or error}); free space there, or name another place")
