"""`Transport`: requests to the service, sent when they may leave, again where that is harmless, and read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

import httpx

from finetuning import errors, protocol
from finetuning.addresses import base_url_of, is_loopback
from finetuning.clock import Clock, SystemClock
from finetuning.keys import ApiKey
from finetuning.media import MediaStream, count_in
from finetuning.pacing import Pacer, Place
from finetuning.patience import Patience
from finetuning.policy import Policy

from .clients import api_client
from .failures import may_repeat, transport_error
from .media import Media

__all__ = ["Answer", "Transport"]

T = TypeVar("T")
log = logging.getLogger("finetuning")

#: Times `policy.timeout` that a whole answer may take.
_WHOLE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What came back: the record, and the body that it was read from.

    Attributes
    ----------
    value
        The record.
    content
        The body as the service sent it, unknown fields included.
    limit, remaining
        `X-RateLimit-Limit` and `-Remaining` of the bucket that was drawn on; None where not sent.
    """

    value: T
    content: bytes = field(repr=False)
    limit: int | None = None
    remaining: int | None = None


class Transport:
    """Sends requests of `protocol`, and streams media.

    Parameters
    ----------
    base_url
        Of the service, without `/v1`.
    api_key
        The key, or None for a client that may only ask for `/health`.
    policy
        Timeouts, retries and how long to wait at a limit.
    clock
        Time; the machine's by default.
    on_wait
        Called with a reason and seconds before each wait at a limit.
    """

    def __init__(
        self,
        base_url: str,
        api_key: ApiKey | None,
        *,
        policy: Policy | None = None,
        clock: Clock | None = None,
        on_wait: Callable[[str, float], None] | None = None,
    ) -> None:
        self.api_key = api_key
        self.base_url = base_url = base_url_of(base_url)
        if policy is not None and not isinstance(policy, Policy):
            raise errors.SettingsError(
                f"policy= takes an ft.Policy, not {type(policy).__name__}.", hint="For example ft.Policy(max_wait=300)."
            )
        self.policy = policy or Policy()
        self.clock: Clock = clock or SystemClock()
        self.on_wait = on_wait
        self.local = is_loopback(urlsplit(self.base_url).hostname)
        #: When what may leave; shared by all that this client does.
        self.pacer = Pacer(self.clock)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._api = api_client(base_url, api_key, self.policy, local=self.local)

    @cached_property
    def _media(self) -> Media:
        """Made with the first download: reading the machine's certificates takes a while."""
        return Media(self.policy, local=self.local, wait=self._wait)

    def __repr__(self) -> str:
        return f"Transport({getattr(self, 'base_url', None)!r}, {self.api_key!r})"

    @property
    def limits(self) -> dict[str, int]:
        """The newest `X-RateLimit-Limit` of each bucket, where there was any."""
        return self.pacer.limits

    async def aclose(self) -> None:
        """Close both HTTP clients."""
        await self._api.aclose()
        if "_media" in self.__dict__:
            await self._media.aclose()

    async def send(self, request: protocol.Request[T], *, wait: bool = True, place: Place | None = None) -> Answer[T]:
        """Send a request, wait at limits, retry where a repetition is harmless, and read the answer.

        Parameters
        ----------
        request
            What to send.
        wait
            Whether to wait at a rate limit; without it the limit is raised at once, for a caller that must know
            whether a request has left.
        place
            The place that was taken for it with `place`.

        Raises
        ------
        APIError
            The service declined.
        ConnectError, AnswerLostError, InvalidAnswerError
            There was no answer, or none that is the service's.
        SettingsError
            The request needs a key, and there is none.
        FinetuningError
            The client is closed, or belongs to another event loop.
        """
        patience = Patience(self.policy, self._announce, str(request))
        if place is None:
            self._check_usable(request)
        while True:
            place = place or await self._place(request, patience, wait=wait)
            try:
                self._check_usable(request)  # while it waited, the client may have been closed
                return await self._once(request, place)
            except errors.RateLimitError as limit:
                # Declined before anything was done, so this may be repeated whatever the request; QUEUE_FULL
                # ends when a generation does, which only the one who waits for them can know.
                if not wait or isinstance(limit, errors.QueueFullError):
                    raise
                patience.declined = limit
            except (errors.TransportError, errors.ServiceError) as problem:
                if not patience.another_try() or not may_repeat(request, problem):
                    raise
                await self._wait(f"{type(problem).__name__} on {request}", patience.backoff())
            finally:
                place.unused()  # where nothing was told of it, it never left
            place = None

    async def place(self, request: protocol.Request[Any], told: Callable[[str, float], None] | None = None) -> Place:
        """Wait until a request may leave, and take its place: for a caller that has something to do before it does.

        Parameters
        ----------
        request
            What is to be sent.
        told
            Called with a reason and seconds before each wait, besides `on_wait`.

        Raises
        ------
        RateLimitError
            That would be longer than `policy.max_wait`; nothing was sent.
        """

        def announce(reason: str, seconds: float) -> None:
            self._announce(reason, seconds)
            if told:
                told(reason, seconds)

        self._check_usable(request)
        return await self._place(request, Patience(self.policy, announce, str(request)), wait=True)

    async def _place(self, request: protocol.Request[Any], patience: Patience, *, wait: bool) -> Place:
        bucket = self.pacer[request.bucket]
        return await bucket.take(patience.wait) if wait and not request.keyless else bucket.place()

    def _check_usable(self, request: protocol.Request[Any] | None = None) -> None:
        if request is not None and self.api_key is None and not request.keyless:
            raise errors.SettingsError(f"{request} needs an API key.", hint="Pass api_key=, or set FINETUNING_API_KEY.")
        if self._api.is_closed:
            raise errors.FinetuningError("This client is closed.", hint="Make a new one.")
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            # Connections belong to the loop that opened them; on another they fail in obscure ways.
            raise errors.FinetuningError(
                "This client was used on another event loop before, where its connections are.",
                hint="Make one inside each asyncio.run(…): async with ft.AsyncClient() as client.",
            )

    def _announce(self, reason: str, seconds: float) -> None:
        log.info("%s: going on in %.1f s", reason, seconds)
        if self.on_wait:
            self.on_wait(reason, seconds)

    async def _wait(self, reason: str, seconds: float) -> None:
        self._announce(reason, seconds)
        await self.clock.sleep(seconds)

    async def _once(self, request: protocol.Request[T], place: Place) -> Answer[T]:
        started = self.clock.monotonic()
        problem: BaseException
        # Of a body the names alone: it is long, and a webhook in it may hold a secret.
        key = "no key" if request.keyless else f"key {self.api_key}"
        log.debug("%s%s, %s, %s", request, _said(request), key, self.base_url)
        try:
            # httpx counts the seconds without a byte: an answer that comes in drips would never be late.
            async with asyncio.timeout(_WHOLE * self.policy.timeout):
                response = await self._api.request(
                    request.method,
                    self.base_url + request.path,
                    params=dict(request.query) or None,
                    json=None if request.body is None else dict(request.body),
                    auth=None if request.keyless else httpx.USE_CLIENT_DEFAULT,
                )
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as cause:
            problem = transport_error(request, cause, self.base_url)
            place.unused() if isinstance(problem, errors.ConnectError) else place.lost()
        except asyncio.CancelledError as cause:
            place.lost()  # perhaps it had left
            problem = cause.with_traceback(None)
            problem.__context__ = None
        else:
            log.debug("%s -> %d in %.3f s", request, response.status_code, self.clock.monotonic() - started)
            limit = count_in(response.headers, "x-ratelimit-limit")
            remaining = count_in(response.headers, "x-ratelimit-remaining")
            value = _read(request, response)
            if not isinstance(value, errors.FinetuningError):
                place.answered(limit, remaining)
                return Answer(value, response.content, limit, remaining)
            if isinstance(value, errors.RateLimitError) and not isinstance(value, errors.QueueFullError):
                place.refused(value.retry_after, limit)
            elif limit is None and not isinstance(value, errors.RateLimitError):
                place.lost()  # what answers in the place of the service has no limits to tell
            else:
                place.answered(limit, remaining)
            problem = value
        # Raised out here so that the frames of httpx, whose locals hold the headers, are not attached to it.
        raise problem

    @asynccontextmanager
    async def media(self, url: str, *, start: int = 0, etag: str | None = None) -> AsyncGenerator[MediaStream]:
        """Open a file of the media host, from byte `start` where the host allows it.

        Parameters
        ----------
        url
            A generation's `audio_url`.
        start
            Offset in bytes; `MediaStream.start` says where the stream truly begins, which is 0 when the host has
            no ranges or the file is no longer the one with `etag`.
        etag
            Validator of the bytes already here.

        Raises
        ------
        DownloadError
            The host could not be reached, declined, or broke off; or it asked for more patience than
            `policy.max_wait`.
        """
        self._check_usable()
        async with self._media.stream(url, start=start, etag=etag) as stream:
            yield stream


def _read(request: protocol.Request[T], response: httpx.Response) -> T | errors.FinetuningError:
    """Read an answer, or return the error that it is.

    It has no traceback: IPython's verbose ones show `response.headers` where a line speaks of it, and proxies send
    back what they got.
    """
    try:
        return protocol.read(request, response.status_code, response.headers, response.content)
    except errors.FinetuningError as problem:
        return problem.with_traceback(None)


def _said(request: protocol.Request[Any]) -> str:
    """Say what a request carries."""
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    return (f"?{query}" if query else "") + (f" {{{', '.join(request.body)}}}" if request.body else "")
