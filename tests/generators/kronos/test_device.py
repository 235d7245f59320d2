"""Devices by their names, and threads that are given back."""

from __future__ import annotations

import time
from threading import Barrier, Event, Thread

import pytest
import torch

from stresslab.core.errors import InputError
from stresslab.generators.kronos.device import find_device, keep_to_one_thread, single_threaded
from stresslab.generators.kronos.inference_weights import Linear


@pytest.mark.usefixtures("two_threads")
def test_a_new_thread_computes_alone() -> None:
    """In a worker the processor's time is its own thread's, not that of threads which a product brings with it."""
    spent: list[float] = []

    def multiply() -> None:
        keep_to_one_thread()
        product, x = Linear([torch.nn.Linear(1024, 1024)], torch.float32), torch.ones(1024, 1024)
        process, thread = time.process_time(), time.thread_time()
        for _ in range(20):
            product(x)
        spent.extend([time.process_time() - process, time.thread_time() - thread])

    with single_threaded(), torch.inference_mode(False), torch.no_grad():
        worker = Thread(target=multiply)
        worker.start()
        worker.join()
    assert spent[0] < 1.3 * spent[1]


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the processor elsewhere; a name that is given is taken as it is."""
    assert find_device("cpu") == torch.device("cpu")
    for present, name in ((False, "cpu"), (True, "cuda")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda present=present: present)
        assert find_device("auto") == torch.device(name)


@pytest.mark.parametrize("name", ["abacus", "", "cpu:x", "meta"])
def test_a_device_that_cannot_be_used_is_refused(name: str) -> None:
    """One line with the name, torch's reason and the remedy; `meta` computes nothing and is none."""
    with pytest.raises(InputError) as caught:
        find_device(name)
    assert str(caught.value).startswith(f"device={name!r} cannot be used (")
    assert str(caught.value).endswith("; give auto or cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("two_threads")
def test_threads_are_restored_where_they_were() -> None:
    """Within each other, after an error, and where two threads overlap, one number lasts as long as it is needed."""
    with single_threaded():
        with pytest.raises(ValueError, match="inside"), single_threaded():
            raise ValueError("inside")
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    began, ended = Barrier(2, timeout=10), Barrier(2, timeout=10)

    def work() -> None:
        with single_threaded():
            began.wait()
            ended.wait()

    worker = Thread(target=work)
    with single_threaded():
        worker.start()
        began.wait()
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2  # in this thread: the other one is still at work
    ended.wait()
    worker.join()
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_a_thread_that_has_computed_before_computes_alone_too() -> None:
    """Torch remembers a number for each thread: one that joins later has one thread as well, and gets its own back."""
    seen: list[int] = []
    began, ready = Event(), Event()

    def work() -> None:
        seen.append(torch.get_num_threads())
        began.set()
        ready.wait(10)
        with single_threaded():
            seen.append(torch.get_num_threads())
        seen.append(torch.get_num_threads())

    worker = Thread(target=work)
    worker.start()
    began.wait(10)
    with single_threaded():
        ready.set()
        worker.join()
        assert torch.get_num_threads() == 1
    assert seen == [2, 1, 2]
