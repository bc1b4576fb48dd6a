"""What every command stands on: flags, settings, the client, and the console."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO, TypeVar

from finetuning.errors import FinetuningWarning, SettingsError, UsageError
from finetuning.keys import ApiKey, claim
from finetuning.redaction import redact

from .console import Console
from .wording import for_the_command, plain, unwritable

if TYPE_CHECKING:
    from finetuning.client.aio import AsyncClient
    from finetuning.settings import Settings

__all__ = ["Flags", "Session"]

T = TypeVar("T")
_STYLES: Final = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "bold": "1"}
NO_KEY: Final = (
    "No API key: run `ft auth login`, set FINETUNING_API_KEY, or start `ft studio serve` and pass its --base-url "
    "and --api-key."
)


@dataclass
class Flags:
    """The global flags, as far as they were given."""

    api_key: ApiKey | None = None
    base_url: str | None = None
    config: Path | None = None
    verbose: bool = False
    no_color: bool = False


class Session:
    """One run of the command.

    Parameters
    ----------
    io
        The console.
    client
        Makes the client, which stays the caller's to close; called with `api_key` and `base_url`, each None where
        no flag says it. Without it a client is made of flags, environment, settings and keychain.
    execute
        Runs a coroutine to its end.
    """

    def __init__(
        self,
        io: Console,
        client: Callable[..., AsyncClient] | None = None,
        execute: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run,
    ) -> None:
        self.io = io
        self.flags = Flags()
        #: What to say about an interrupt that comes now.
        self.if_interrupted: str | None = None
        self._client = client
        self._execute = execute
        self._settings: Settings | None = None
        #: Shown instead of a line of its own while a progress bar stands there.
        self.on_note: Callable[[str], None] | None = None

    # Writing

    def print(self, lines: str | Iterable[str]) -> None:
        """Write data."""
        # Each by itself: of one large write an unbuffered stream reports a part that a closed pipe took as success.
        try:
            for line in lines.split("\n") if isinstance(lines, str) else lines:
                self.io.out.write(redact(line) + "\n")
        except BrokenPipeError:
            raise
        except OSError as problem:
            raise UsageError(unwritable(problem)) from None

    def note(self, text: str) -> None:
        """Write a note."""
        self._say("note", "dim", text)

    def warn(self, text: str) -> None:
        """Write a warning."""
        self._say("warning", "yellow", text)

    def error(self, text: str) -> None:
        """Write what went wrong, on one line."""
        self._say("error", "red", text)

    def tell(self, text: str) -> None:
        """Write a line for a person, not for a program."""
        self.io.err.write(redact(text) + "\n")

    def _say(self, label: str, style: str, text: str) -> None:
        self.tell(f"{self.paint(f'{label}:', style, self.io.err)} {plain(text)}")

    def agrees(self, question: str) -> bool:
        """Ask a person, who must say yes; anything else, and the end of the input, is a no."""
        try:
            return self.io.line(f"{question} [y/N] ").strip().lower() in ("y", "yes")
        except EOFError:
            self.tell("")  # behind the question
            return False

    def paint(self, text: str, style: str, stream: TextIO) -> str:
        """Colour text where the stream is a terminal and colour is wanted."""
        terminal = self.io.out_is_terminal if stream is self.io.out else self.io.err_is_terminal
        if not terminal or not self.io.colour or self.flags.no_color:
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"

    @property
    def columns(self) -> int | None:
        """The terminal's width, None where data goes elsewhere."""
        return self.io.width if self.io.out_is_terminal else None

    # Settings

    @property
    def config(self) -> Path:
        """The configuration file."""
        from finetuning import settings

        return self.flags.config or settings.config_dir() / "config.json"

    @property
    def settings(self) -> Settings:
        """What the configuration file says.

        Raises
        ------
        SettingsError
            It cannot be used, or `--config` names none.
        """
        if self._settings is None:
            from finetuning import settings

            if self.flags.config is not None and not self.flags.config.is_file():
                raise SettingsError(f"--config {self.flags.config} is not a file.")
            self._settings = settings.load(self.config)
        return self._settings

    def without_settings(self) -> None:
        """Go on as if there were no configuration file."""
        from finetuning.settings import Settings

        self._settings = Settings()

    @property
    def base_url(self) -> str:
        """Where the service is."""
        from finetuning.addresses import base_url_of

        configured = self.settings.base_url  # read whatever the flag says: a file that is wrong is told of
        return base_url_of(self.flags.base_url or configured)

    def key(self) -> ApiKey | None:
        """Return the key of the flag, the environment, the keychain or the file; None where there is none."""
        from finetuning import settings

        return self.flags.api_key or settings.find_key()

    # The client

    def call(self, work: Callable[[AsyncClient], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine function on the client, and wait for it.

        Raises
        ------
        SettingsError
            There is no key.
        """
        given = self._client
        if given is not None:
            with self.narrated():
                client = given(api_key=self.flags.api_key, base_url=self.flags.base_url)
                result: T = self._execute(work(client))
            return result
        with self.narrated():
            key = self.key()
        if key is None:
            raise SettingsError(NO_KEY)
        return self.call_with(key, work)

    def call_with(self, key: ApiKey, work: Callable[[AsyncClient], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine function on a client of its own with this key."""
        base_url = self.base_url

        async def whole() -> T:
            from finetuning.client.aio import AsyncClient

            async with AsyncClient(key, base_url, on_wait=self._waiting) as client:
                return await work(client)

        with self.narrated():
            result: T = self._execute(whole())
            return result

    def greet(self) -> None:
        """Ask the service whether it is there, with no key: one that is stored wrongly is none of this question.

        Raises
        ------
        APIError, TransportError
            It is not.
        """
        base_url = self.base_url

        async def whole() -> None:
            from finetuning import protocol
            from finetuning.transport import Transport

            transport = Transport(base_url, None, on_wait=self._waiting)
            try:
                await transport.send(protocol.health())
            finally:
                await transport.aclose()

        with self.narrated():
            self._execute(whole())

    def _waiting(self, reason: str, seconds: float) -> None:
        text = f"{reason}: waiting {seconds:.0f} s"
        if self.on_note:
            self.on_note(text)
        elif round(seconds) >= 1:
            self.note(text)

    @contextmanager
    def narrated(self) -> Iterator[None]:
        """Write the library's warnings as notes of the command, and with `--verbose` its requests and answers."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                if self.flags.verbose:
                    with self._logged():
                        yield
                else:
                    yield
            finally:
                for each in caught:
                    if isinstance(each.message, FinetuningWarning):
                        self.warn(for_the_command(str(each.message)) or str(each.message))

    @contextmanager
    def _logged(self) -> Iterator[None]:
        log = logging.getLogger("finetuning")
        handler = logging.StreamHandler(self.io.err)
        handler.setFormatter(_Redacting("%(message)s"))
        before = log.level, log.propagate
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)
        log.propagate = False
        try:
            yield
        finally:
            log.removeHandler(handler)
            log.setLevel(before[0])
            log.propagate = before[1]


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def key_of(text: str) -> ApiKey:
    """Read a key that was typed.

    Raises
    ------
    SettingsError
        It is none; the message does not repeat it.
    """
    key, problem = claim(text)
    del text
    if problem or key is None:
        raise problem or SettingsError("That is not an API key (it is empty).")
    return key
