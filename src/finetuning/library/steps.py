"""A sync as a generator of requests, which knows nothing of how they are sent: one driver is blocking, one is not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias, TypeVar

from finetuning.protocol import Request

__all__ = ["Steps", "drive", "drive_async"]

T = TypeVar("T")
#: Yields requests, is sent what they were answered with, and returns the result.
Steps: TypeAlias = Generator[Request[Any], Any, T]


def drive(steps: Steps[T], send: Callable[[Request[Any]], Any]) -> T:
    """Send every request; an error, or an interrupt, is raised where the request was asked for.

    So that what was read before it is kept.
    """
    try:
        request = next(steps)
        while True:
            try:
                value = send(request)
            except BaseException as problem:  # noqa: BLE001 - an interrupt too: the steps save, and raise it again
                request = steps.throw(problem)
            else:
                request = steps.send(value)
    except StopIteration as end:
        result: T = end.value
        return result


async def drive_async(steps: Steps[T], send: Callable[[Request[Any]], Awaitable[Any]]) -> T:
    """Do as `drive` does, awaiting each answer."""
    try:
        request = next(steps)
        while True:
            try:
                value = await send(request)
            except BaseException as problem:  # noqa: BLE001 - being cancelled too, as above
                request = steps.throw(problem)
            else:
                request = steps.send(value)
    except StopIteration as end:
        result: T = end.value
        return result
