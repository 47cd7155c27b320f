"""The guard between agents and memory."""

import asyncio
import logging
import threading

import pytest

from remanence.adapters._guard import Guard, HungError, in_thread_async


def fail():
    raise ValueError("broken (simulated)")


async def a_fail():
    fail()


async def a_value():
    return "value"


def test_a_result_passes_and_a_failure_becomes_the_default():
    guard = Guard()
    assert guard.call("here", lambda: 1, 0) == 1
    assert guard.call("here", fail, 0) == 0
    assert guard.failures == 1
    assert isinstance(guard.last_error, ValueError)


def test_failures_are_logged_once_until_a_success(caplog):
    guard = Guard()
    with caplog.at_level(logging.INFO, "remanence.adapters"):
        for work in (fail, fail, fail, lambda: 1, fail):
            guard.call("here", work, None)
    levels = [record.levelname for record in caplog.records]
    assert levels == ["WARNING", "INFO", "WARNING"]
    assert "here" in caplog.records[0].message
    assert "after 3 failures" in caplog.records[1].message
    assert guard.failures == 4


def test_on_error_is_told_of_each_and_may_fail():
    told = []

    def on_error(error, where):
        told.append((str(error), where))
        fail()

    guard = Guard(on_error=on_error)
    guard.call("one", fail, None)
    guard.call("two", fail, None)
    assert told == [("broken (simulated)", "one"), ("broken (simulated)", "two")]


def test_interrupts_pass_through():
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Guard().call("here", interrupt, None)


def test_a_hung_call_is_left_behind_and_memory_left_alone_for_a_while():
    guard, release, calls = Guard(timeout=0.1), threading.Event(), []

    def hang():
        calls.append(1)
        release.wait()

    try:
        assert guard.call("here", hang, "default") == "default"
        assert isinstance(guard.last_error, HungError)
        assert guard.call("here", hang, "default") == "default"
        assert len(calls) == 1
    finally:
        release.set()


def test_a_timeout_error_of_the_work_is_just_an_error():
    guard = Guard()

    def work():
        raise TimeoutError("of the network (simulated)")

    assert guard.call("here", work, "default") == "default"
    assert guard.call("here", lambda: 1, 0) == 1


def test_works_on_an_event_loops_thread():
    async def main():
        return Guard().call("here", lambda: asyncio.run(a_value()), None)

    assert asyncio.run(main()) == "value"


def test_watch_swallows_and_counts():
    guard = Guard()
    with guard.watch("here"):
        fail()
    assert guard.failures == 1


def test_awaited_results_and_failures():
    async def main():
        guard = Guard()
        return (
            await guard.acall("here", a_value, None),
            await guard.acall("here", a_fail, "default"),
            guard.failures,
        )

    assert asyncio.run(main()) == ("value", "default", 1)


def test_an_awaited_call_that_hangs_is_left_behind():
    release = threading.Event()

    async def main():
        guard = Guard(timeout=0.1)
        first = await guard.acall("here", lambda: in_thread_async(release.wait), "default")
        return first, await guard.acall("here", a_value, "default"), type(guard.last_error)

    try:
        assert asyncio.run(main()) == ("default", "default", HungError)
    finally:
        release.set()


def test_cancelling_the_agent_cancels_the_call():
    cancelled = []

    async def endless():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def main():
        task = asyncio.create_task(Guard().acall("here", endless, None))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)

    asyncio.run(main())
    assert cancelled == [True]
