"""The only module that imports httpx: credentials, waiting at limits, retries, redaction, streams.

Two HTTP clients, never one: the API's carries the key and follows no redirect (httpx strips `Authorization` on a
cross-origin redirect, and would forward `X-API-Key`); the media client follows redirects and has no key to lose.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
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
from finetuning.media import MediaStream, count_in, plain, read_media
from finetuning.pacing import Pacer, Place
from finetuning.patience import Patience
from finetuning.policy import Policy
from finetuning.redaction import redact
from finetuning.version import __version__

__all__ = ["Answer", "MediaStream", "Policy", "Transport"]

T = TypeVar("T")
log = logging.getLogger("finetuning")


def _redacted(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), None
    return True


# At DEBUG they print the headers of answers, and there are proxies that send back what they got.
for _name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy"):
    logging.getLogger(_name).addFilter(_redacted)

#: Answers of a read that another try may mend.
_PASSING: Final = frozenset({500, 502, 503, 504})
#: Times `policy.timeout` that a whole answer may take.
_WHOLE: Final = 2.0
#: Seconds that an unused connection is kept. Servers close theirs after 5 or more, and a create that is sent into a
#: connection as it closes would be lost without anyone knowing whether it was paid for.
_KEEPALIVE: Final = 4.0


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


class _KeyHeader(httpx.Auth):
    """Adds the key to each request as it leaves, so that no header mapping of ours ever holds it."""

    def __init__(self, key: ApiKey) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["X-API-Key"] = self._key.reveal()
        yield request


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
        self._api = httpx.AsyncClient(
            auth=_KeyHeader(api_key) if api_key else None,
            follow_redirects=False,
            # Trusting nobody costs nothing to set up, and no TLS is spoken to an http address.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if self.base_url.startswith("http:") else True,
            **self._options(),
        )

    def _options(self) -> dict[str, Any]:
        return {
            # However many wait for a connection: what waits here was not sent, and is not lost.
            "timeout": httpx.Timeout(self.policy.timeout, connect=self.policy.connect_timeout, pool=None),
            "limits": httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=_KEEPALIVE),
            # A proxy from the environment would be asked for 127.0.0.1 and cannot know it.
            "trust_env": not self.local,
            "headers": {"User-Agent": f"finetuning-python/{__version__}"},
        }

    @cached_property
    def _media(self) -> httpx.AsyncClient:
        """Made with the first download: reading the machine's certificates takes a while."""
        return httpx.AsyncClient(
            follow_redirects=True, max_redirects=5, event_hooks={"request": [self._check_media]}, **self._options()
        )

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
        try:
            self._check_usable(request)
        except BaseException:
            if place is not None:
                place.unused()
            raise
        while True:
            place = place or await self._place(request, patience, wait=wait)
            try:
                return await self._once(request, place)
            except errors.RateLimitError as limit:
                # Declined before anything was done, so this may be repeated whatever the request; QUEUE_FULL
                # ends when a generation does, which only the one who waits for them can know.
                if not wait or isinstance(limit, errors.QueueFullError):
                    raise
                patience.declined = limit
            except (errors.TransportError, errors.ServiceError) as problem:
                if not patience.another_try() or not _may_repeat(request, problem):
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
        log.debug("%s%s, key %s, %s", request, _said(request), self.api_key, self.base_url)
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
            problem = self._transport_error(request, cause)
            place.unused() if isinstance(problem, errors.ConnectError) else place.lost()
        except asyncio.CancelledError as cause:
            place.lost()  # perhaps it had left
            problem = cause.with_traceback(None)
            problem.__context__ = None
        else:
            log.debug("%s -> %d in %.3f s", request, response.status_code, self.clock.monotonic() - started)
            limit = count_in(response.headers, "x-ratelimit-limit")
            remaining = count_in(response.headers, "x-ratelimit-remaining")
            try:
                value = protocol.read(request, response.status_code, response.headers, response.content)
            except errors.RateLimitError as declined:
                if isinstance(declined, errors.QueueFullError):
                    place.answered(limit, remaining)
                else:
                    place.refused(declined.retry_after, limit)
                raise
            except errors.FinetuningError:
                # What answers in the place of the service has no limits to tell.
                place.lost() if limit is None else place.answered(limit, remaining)
                raise
            place.answered(limit, remaining)
            return Answer(value, response.content, limit, remaining)
        # Raised out here so that the frames of httpx, whose locals hold the headers, are not attached to it.
        raise problem

    def _transport_error(self, request: protocol.Request[Any], cause: Exception) -> errors.TransportError:
        what = str(cause) or type(cause).__name__
        # A host name that cannot be encoded, or an address that no URL can have, shows only here.
        nowhere = isinstance(cause, (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError))
        if nowhere or isinstance(cause, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
            return errors.ConnectError(
                f"{self.base_url} could not be reached: {what}.",
                request=str(request),
                hint="Nothing was sent. Check the network and the base URL; ft.connect('studio') works offline.",
            )
        if isinstance(cause, httpx.DecodingError):
            return errors.InvalidAnswerError(
                f"The answer to {request} cannot be decompressed: {what}.", request=str(request)
            )
        return errors.AnswerLostError(
            f"The answer to {request} was lost ({type(cause).__name__}: {what}).",
            request=str(request),
            hint="Reading again is harmless."
            if request.repeatable
            else "It may or may not have been carried out: look before repeating it.",
        )

    async def _check_media(self, request: httpx.Request) -> None:
        """Refuse, for the first request of a download and each redirect, whatever is not a plain media URL."""
        url = request.url
        if url.username or url.password or (url.scheme != "https" and not (self.local and is_loopback(url.host))):
            raise errors.DownloadError(
                f"The media address {url.scheme}://{url.host} is not followed.",
                hint="Media comes over https and without credentials.",
            )
        request.headers.pop("X-API-Key", None)
        request.headers.pop("Authorization", None)

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
        headers = {"Accept-Encoding": "identity"}  # a coded length is not the file's
        if start:
            headers["Range"] = f"bytes={start}-"
            if etag and not etag.startswith("W/"):
                headers["If-Range"] = etag
        problem: errors.DownloadError
        waited = 0.0
        try:
            while True:
                async with self._media.stream("GET", url, headers=headers) as response:
                    if response.status_code == 416 and start:
                        break
                    later = self._later(response)
                    if later is None or waited + later > self.policy.max_wait:
                        where, sound = plain(str(response.url)), response.aiter_raw()
                        yield read_media(where, response.status_code, response.headers, start, sound)
                        return
                waited += later
                await self._wait("the media host is not ready", later)
            # The file ends before `start`, so it is not the one that the bytes here are of.
            async with self.media(url) as whole:
                yield whole
                return
        except (httpx.InvalidURL, UnicodeError) as cause:
            problem = errors.DownloadError(f"{plain(url)!r} is not an address: {cause}.")
        except (httpx.HTTPError, OSError) as cause:
            problem = errors.DownloadError(
                f"The download of {plain(url)} broke off: {str(cause) or type(cause).__name__}.",
                hint="Repeat it; it goes on where it stopped.",
            )
        raise problem

    @staticmethod
    def _later(response: httpx.Response) -> float | None:
        """When the media host wants to be asked again, in seconds; None where it has answered."""
        if response.status_code not in (429, 503):
            return None
        return protocol.retry_after(response.headers)


def _said(request: protocol.Request[Any]) -> str:
    """Say what a request carries."""
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    return (f"?{query}" if query else "") + (f" {{{', '.join(request.body)}}}" if request.body else "")


def _may_repeat(request: protocol.Request[Any], problem: errors.FinetuningError) -> bool:
    if isinstance(problem, errors.ConnectError):
        return False  # a wrong address stays wrong; whoever waits for the network says so above
    if isinstance(problem, errors.InvalidAnswerError):
        return request.repeatable and problem.status in _PASSING
    return request.repeatable
