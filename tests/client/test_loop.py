from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from finetuning.client.loop import LoopThread, Work
from finetuning.errors import FinetuningError
from finetuning.policy import Policy
from finetuning.transport.clients import media_client


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.close()


#: Threads of tests before, which are no concern of these.
_others: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def others() -> None:
    _others.clear()
    _others.update(threading.enumerate())


def threads() -> list[str]:
    mine = set(threading.enumerate()) - _others
    return [thread.name for thread in mine if thread.name == "finetuning-loop"]


async def value(result: Any = 1) -> Any:
    await asyncio.sleep(0)
    return result


def test_blocking_code_gets_the_result(loop: LoopThread) -> None:
    assert loop.run(value("a")) == "a"
    assert loop.submit(value("b")).result(5) == "b"


def test_the_thread_starts_with_the_first_work_and_ends_with_close() -> None:
    loop = LoopThread()
    assert threads() == []
    loop.run(value())
    assert threads() == ["finetuning-loop"]
    loop.close()
    assert threads() == []
    assert loop.closed


def test_close_may_come_before_any_work_and_again() -> None:
    loop = LoopThread()
    last = value()
    loop.close(last)
    loop.close()
    loop.close(value())
    assert threads() == []


def test_a_closed_loop_says_so_and_leaves_nothing_unawaited() -> None:
    loop = LoopThread()
    loop.close()
    with pytest.raises(FinetuningError, match="closed"):
        loop.run(value())
    with pytest.raises(FinetuningError, match="closed"):
        loop.submit(value())
    gc.collect()


def test_what_the_work_raises_is_raised_here(loop: LoopThread) -> None:
    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        loop.run(fail())


def test_it_works_inside_a_running_loop(loop: LoopThread) -> None:
    async def inside() -> Any:
        return loop.run(value("a"))

    assert asyncio.run(inside()) == "a"


def test_it_works_from_several_threads_at_once(loop: LoopThread) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: loop.run(value(n)), range(200))) == list(range(200))
    assert threads() == ["finetuning-loop"]


def test_a_blocking_call_on_its_own_loop_is_refused_rather_than_waiting_for_itself(loop: LoopThread) -> None:
    async def inside() -> None:
        loop.run(value())

    with pytest.raises(FinetuningError, match="would wait for itself"):
        loop.run(inside())


class Cleaning:
    """Work that takes a while to clean up after it was cancelled."""

    def __init__(self) -> None:
        self.begun, self.cleaned = threading.Event(), threading.Event()

    async def __call__(self) -> None:
        try:
            self.begun.set()
            await asyncio.Event().wait()
        finally:
            for _ in range(20):
                await asyncio.sleep(0)
            self.cleaned.set()


def test_an_interrupt_cancels_the_work_lets_it_clean_up_and_is_raised(loop: LoopThread) -> None:
    work = Cleaning()

    def interrupt() -> None:
        work.begun.wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        loop.run(work())
    thread.join()
    assert work.cleaned.is_set()
    assert loop.run(value("goes on")) == "goes on"


def test_an_interrupt_is_heard_between_pulses_too(loop: LoopThread) -> None:
    work = Cleaning()

    def pulse() -> None:
        if work.begun.is_set():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.run(work(), pulse)
    assert work.cleaned.is_set()


def test_pulses_come_on_the_waiting_thread_while_it_waits(loop: LoopThread) -> None:
    enough = threading.Event()
    pulses: list[int] = []

    def pulse() -> None:
        pulses.append(threading.get_ident())
        if len(pulses) == 3:
            enough.set()

    async def wait() -> str:
        await asyncio.to_thread(enough.wait, 10)
        return "done"

    assert loop.run(wait(), pulse) == "done"
    assert set(pulses) == {threading.get_ident()}


def test_cancelled_work_is_done_when_it_has_cleaned_up(loop: LoopThread) -> None:
    work = Cleaning()
    future = loop.submit(work())
    work.begun.wait(10)
    assert future.cancel()
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(10)
    assert work.cleaned.is_set()
    assert future.cancelled()
    assert not future.cancel()


def test_work_that_is_cancelled_before_it_began_never_begins(loop: LoopThread) -> None:
    release = threading.Event()
    blocker = loop.submit(asyncio.to_thread(lambda: None))
    blocker.result(5)
    ran: list[int] = []

    begun = threading.Event()

    async def block() -> None:
        begun.set()
        release.wait(10)

    async def work() -> None:
        ran.append(1)

    blocking = loop.submit(block())
    assert begun.wait(10)  # or both might begin at once
    future = loop.submit(work())
    assert future.cancel()
    release.set()
    blocking.result(5)
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(5)
    assert ran == []


def test_work_that_is_cancelled_before_it_was_handed_over_is_closed() -> None:
    ran: list[int] = []

    async def work() -> None:
        ran.append(1)

    handed = Work(work())
    assert handed.cancel()
    assert not handed.cancel()
    assert handed.cancelled()
    gc.collect()
    assert ran == []


def test_work_on_a_loop_that_has_ended_is_not_cancelled() -> None:
    loop = asyncio.new_event_loop()
    coroutine = value()
    handed = Work(coroutine)
    handed.begin(loop)
    loop.close()
    assert not handed.cancel()
    coroutine.close()


def test_closing_ends_what_others_wait_for() -> None:
    loop = LoopThread()
    work = Cleaning()
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            loop.run(work())
        except FinetuningError as error:
            caught.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    work.begun.wait(10)
    last = Cleaning()
    loop.close(value())
    waiting.join(10)
    assert not waiting.is_alive()
    assert work.cleaned.is_set()
    assert "closed before this was done" in str(caught[0])
    assert not last.begun.is_set()


def test_whatever_is_submitted_while_another_thread_closes_comes_to_an_end() -> None:
    for _ in range(50):
        loop = LoopThread()
        loop.run(value())
        start = threading.Barrier(3)
        ends: list[list[str]] = [[], []]  # of each thread: in which order both go on is nobody's to say

        def submit(mine: list[str], loop: LoopThread = loop, start: threading.Barrier = start) -> None:
            start.wait()
            for _ in range(20):
                try:
                    mine.append(loop.run(value("done")))
                except FinetuningError:
                    mine.append("closed")

        workers = [threading.Thread(target=submit, args=(mine,)) for mine in ends]
        for worker in workers:
            worker.start()
        start.wait()
        loop.close()
        for worker in workers:
            worker.join(10)
            assert not worker.is_alive()
        for mine in ends:
            assert len(mine) == 20
            assert mine == sorted(mine, reverse=True)  # once it is closed it stays so


def test_the_last_work_runs_after_everything_has_ended() -> None:
    loop = LoopThread()
    work = Cleaning()
    order: list[bool] = []

    async def last() -> None:
        order.append(work.cleaned.is_set())

    loop.submit(work())
    work.begun.wait(10)
    loop.close(last())
    assert order == [True]
    assert threads() == []


def test_work_that_begins_work_as_it_is_cancelled_is_ended_with_it() -> None:
    loop = LoopThread()
    child = Cleaning()
    tasks: list[asyncio.Task[None]] = []
    begun = threading.Event()

    async def parent() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            tasks.append(asyncio.create_task(child()))
            await asyncio.sleep(0)

    loop.submit(parent())
    begun.wait(10)
    loop.close()
    assert child.cleaned.is_set()
    assert threads() == []


def test_closing_from_the_loop_itself_does_not_wait_for_itself() -> None:
    loop = LoopThread()

    async def close() -> None:
        loop.close()

    loop.submit(close())
    for thread in threading.enumerate():
        if thread.name == "finetuning-loop":
            thread.join(10)
    assert threads() == []


def test_a_thread_that_cannot_start_is_told_and_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = LoopThread()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(FinetuningError, match="could not be started: can't start new thread"):
            loop.run(value())
    assert loop.run(value("now")) == "now"
    loop.close()


def test_a_result_is_not_kept_alive(loop: LoopThread) -> None:
    class Big:
        pass

    async def make() -> Big:
        return Big()

    reference = weakref.ref(loop.run(make()))
    loop.run(value())
    gc.collect()
    assert reference() is None


FORKED = """
import os, sys, warnings
warnings.simplefilter("error")
import finetuning as ft
from finetuning.errors import FinetuningError
from finetuning.policy import Policy
from finetuning.transport.clients import media_client
client = ft.Client("ft_live_" + "0" * 32, sys.argv[1], progress=False)
used = sys.argv[2] == "used"
if used:
    client.me()
child = os.fork()
if child == 0:
    warnings.simplefilter("ignore", ResourceWarning)  # what is the parent's is not the child's to close
    try:
        client.me()
        print("answered", flush=True)
    except FinetuningError as error:
        print(error.message, flush=True)
    print(repr(client), flush=True)
    client.close()
    print(ft.Client("ft_live_" + "0" * 32, sys.argv[1], progress=False).me().id, flush=True)
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
print(client.me().id)
client.close()
"""


@pytest.mark.parametrize("used", ["used", "unused"])
def test_after_a_fork_the_child_is_told_and_the_parent_goes_on(host: Any, used: str) -> None:
    host.answer = lambda handler: host.send(handler, 200, b'{"data": {"id": "usr_1"}}')
    done = subprocess.run(
        [sys.executable, "-c", FORKED, host.url, used], capture_output=True, text=True, timeout=60, check=False
    )
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    if used == "used":
        assert lines[0] == "This client belongs to the process that this one was forked from."
        assert lines[1].endswith(", closed)")
    else:
        assert lines[0] == "answered"
    assert lines[-2:] == ["usr_1", "usr_1"]


LEFT_OPEN = """
import logging, sys
import finetuning as ft
logging.getLogger("asyncio").setLevel(logging.ERROR)  # that a step took long tells of the machine
client = ft.Client("ft_live_" + "0" * 32, sys.argv[1], progress=False)
client.me()
if sys.argv[2] == "busy":
    client.submit(client.asynchronous.wait("x"))
print("end")
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_a_client_left_open_ends_with_the_process_in_silence(host: Any, state: str) -> None:
    host.answer = lambda handler: host.send(handler, 200, b'{"data": {"id": "x", "status": "processing"}}')
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", LEFT_OPEN, host.url, state]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


def test_a_client_that_is_forgotten_closes_itself(host: Any) -> None:
    import finetuning as ft

    host.answer = lambda handler: host.send(handler, 200, b'{"data": {"id": "usr_1"}}')
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client = ft.Client("ft_live_" + "0" * 32, host.url, progress=False)
        client.me()
        assert threads() == ["finetuning-loop"]
        del client
        gc.collect()
    assert threads() == []


def test_no_connection_stays_open_when_the_last_request_is_cancelled_at_its_first_step() -> None:
    at_once = 4
    together = threading.Barrier(at_once)

    def answer(taken: socket.socket) -> None:
        with taken:
            taken.recv(65536)
            together.wait(30)
            taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            taken.recv(1)  # until the client hangs up

    async def made() -> Any:
        async def fine(_: Any) -> None:
            pass

        return media_client(Policy(), fine, local=True)

    async def ask(client: Any) -> None:
        await client.get(f"http://127.0.0.1:{server.getsockname()[1]}/")

    async def ask_at_once(client: Any) -> None:
        await asyncio.gather(*(ask(client) for _ in range(at_once)))

    with socket.create_server(("127.0.0.1", 0)) as server, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loop = LoopThread()
        client = loop.run(made())
        asked = loop.submit(ask_at_once(client))
        serving = [threading.Thread(target=answer, args=(server.accept()[0],)) for _ in range(at_once)]
        for thread in serving:
            thread.start()
        asked.result(30)
        for connection in client._transport._pool.connections:
            connection._connection._expire_at = 0.0  # unused for too long: the pool closes them at the next request
        loop.submit(ask(client))
        loop.close(client.aclose())
        del client, asked, connection
        gc.collect()
        for thread in serving:
            thread.join(30)
    assert [str(each.message) for each in caught if "unclosed" in str(each.message)] == []
