"""`Receiver`: where the service tells that a take is ready."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from finetuning.errors import FinetuningError, MissingExtraError, WebhookError
from finetuning.records import Generation
from finetuning.selections import Tracks, ids_of

from . import secret as secrets_
from .arguments import bad_place, bad_url, check_callback, check_timeout, with_token
from .door import Door, Receive, Scope, Send
from .inbox import Inbox

if TYPE_CHECKING:
    import pandas as pd

    from .server import Server

__all__ = ["Receiver"]

_MOUNTED_AT: Final = "/"


class Receiver:
    """Receives the service's webhooks: one POST for every generation that ends.

    It is an ASGI application, which any other can mount, and a context manager that serves itself on a thread. It
    never acts on what it is told; it remembers, and tells whoever listens.

    The service does not sign what it posts, and posts it once, whatever the answer. **The secret in `url` is the only
    protection**, so treat `url` as a password; and take a delivery for a reason to look at the listing, never for
    the truth. A delivery may get lost, too, so whoever follows generations looks at the listing now and then anyway.

    Parameters
    ----------
    token
        The secret, long and random; by default one is drawn with `secrets.token_urlsafe(24)`. Give one to keep the
        same URL from one session to the next.
    host
        Address to listen on, when it serves itself. Other than this machine's own only with `public_url`.
    port
        Port to listen on, 0–65535; 0 takes any that is free.
    public_url
        Where the service reaches it, if not at `host` and `port`: the HTTPS address of a tunnel, or of the
        application that mounts it. The hosted service calls public HTTPS addresses only; the studio, being on this
        machine, calls this machine too, and needs none.

    Raises
    ------
    ParameterError
        A parameter that cannot be used. The message repeats neither the token nor the URL.

    Examples
    --------
    >>> import finetuning as ft
    >>> client = ft.connect("studio")  # doctest: +SKIP
    >>> with ft.webhooks.Receiver() as receiver:  # doctest: +SKIP
    ...     take = client.generate("lofi chill piano", webhook=receiver.url, wait=False)
    ...     receiver.wait(take)
    ...     receiver.received[["id", "status", "received_at"]]

    In an application of one's own, here Starlette's, which the service reaches at https://example.com/ready/:

    >>> receiver = ft.webhooks.Receiver(public_url="https://example.com/ready/")
    >>> app = Starlette(routes=[Mount("/ready", receiver)])  # doctest: +SKIP
    """

    def __init__(
        self, *, token: str | None = None, host: str = "127.0.0.1", port: int = 0, public_url: str | None = None
    ) -> None:
        # Let go of at once: a verbose traceback shows the locals of each frame.
        self._secret, problem = secrets_.claim(token)
        token = None
        self._inbox = Inbox(self._secret.hide)
        self._server: Server | None = None  # the traceback shows this object, too, made or not
        problem = problem or bad_place(host, port, public_url is not None)
        if problem is None and public_url is not None:
            problem = bad_url(public_url, self._secret.query)
        if problem is not None:
            public_url = None
            raise problem
        self._host = host
        self._port = port
        self._public = public_url
        paths = {_MOUNTED_AT} | ({unquote(urlsplit(public_url).path)} if public_url else set())
        self._door = Door(self._secret, self._inbox, paths)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI connection.

        A delivery is a POST at `/` below where this is mounted, or at the path of `public_url`, with the token, of
        type application/json, of at most 64 KiB, and shaped as documented. It is answered 204, as is one that is
        repeated; anything else 400, 403, 404, 405, 408 (the body took more than 10 s), 413 or 415.
        """
        self._loop = asyncio.get_running_loop()
        await self._door(scope, receive, send)

    @property
    def url(self) -> str:
        """Where the service should post, secret and all: for `webhook=` alone.

        Raises
        ------
        WebhookError
            It is not serving, and has no `public_url`.
        """
        base = self._public
        if base is None:
            server = self._server
            if server is None:
                raise WebhookError(
                    "The receiver is not serving, so it has no URL yet.",
                    hint="Use it as `with ft.webhooks.Receiver() as receiver:`, call receiver.start(), or give "
                    "public_url= where another application serves it.",
                )
            base = f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{server.port}/"
        return with_token(base, self._secret.query)

    @property
    def received(self) -> pd.DataFrame:
        """What was said, oldest first: the newest 10,000 generations, or fewer where their bodies are large.

        The columns and dtypes of a generations frame, then `received_at` (datetime64[ns, UTC]); on an empty frame
        too. `audio_url` is what the poster said: download by `client.download`, which asks the service.
        """
        return self._inbox.frame()

    @property
    def repeats(self) -> int:
        """How many deliveries told of an id that had been told of before. The first one stands."""
        return self._inbox.repeats

    def subscribe(self, callback: Callable[[Generation], object]) -> Callable[[], None]:
        """Have `callback` called with every generation that is told of for the first time.

        It is called before the delivery is answered, on the thread of the event loop that serves: the receiver's own
        thread, or that of the application which mounts it. So it should be quick and hand work over
        (`loop.call_soon_threadsafe`, a queue). What it raises is logged and goes no further.

        Parameters
        ----------
        callback
            Takes a `Generation`, of which the documented fields are set. Not a coroutine function.

        Returns
        -------
        callable
            Ends the subscription; it may be called again, from any thread.

        Examples
        --------
        >>> unsubscribe = receiver.subscribe(lambda told: print(told.id, told.status))  # doctest: +SKIP
        """
        check_callback(callback)
        return self._inbox.subscribe(callback)

    def wait(self, tracks: Tracks, *, timeout: float | None = 300.0) -> None:
        """Block until all these generations were told of, whether they were completed or failed.

        The subscribed callbacks have been called by then, as far as the wait began before the delivery.

        Parameters
        ----------
        tracks
            A DataFrame with an `id` column, ids, records: any selection.
        timeout
            Seconds; None waits for ever, which a lost delivery makes just that.

        Raises
        ------
        StillProcessingError
            Time is up, or the receiver was closed; `.missing` has the ids that nobody told of.
        SelectionError
            There is no id in `tracks`.
        FinetuningError
            Called on the event loop that serves, which would wait for itself.

        Examples
        --------
        >>> receiver.wait(run.frame, timeout=600)  # doctest: +SKIP
        """
        check_timeout(timeout)
        ids = ids_of(tracks)
        if self._inbox.missing(ids) and self._serves_here():
            raise FinetuningError(
                "The receiver is served by this thread's event loop, which would wait for itself.",
                hint="Use subscribe, or wait in another thread: await asyncio.to_thread(receiver.wait, tracks).",
            )
        self._inbox.wait(ids, timeout)

    def start(self) -> Receiver:
        """Serve on a thread of its own until `close`; entering the context does the same.

        Raises
        ------
        WebhookError
            The port is taken, or it is serving already.
        MissingExtraError
            The web server is not installed; the message names the command.
        """
        try:
            from .server import Server
        except ImportError as problem:
            raise MissingExtraError("The web server of the receiver", "studio") from problem
        with self._lock:
            if self._server is not None:
                raise WebhookError(
                    "The receiver is serving already.", hint="Make a second one to listen on another port."
                )
            self._server = Server(self, self._host, self._port)
        return self

    def close(self) -> None:
        """Stop serving and wake whoever waits. What was received stays; closing again is harmless."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.close()
            self._inbox.give_up()

    def __enter__(self) -> Receiver:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        server = self._server
        where = f"serving on {self._host}, port {server.port}" if server else "not serving by itself"
        return f"<Receiver: {where}; told of {len(self._inbox):,}>"

    def __reduce__(self) -> str:
        raise TypeError("a receiver is not pickled: a pickle would hold its token in plain text")

    def _serves_here(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False
