"""Every exception and warning of the package.

FinetuningError
├── UsageError (ValueError)             refused here, before any request
│   ├── ParameterError                  one parameter of a generation, a listing or a sweep
│   ├── SelectionError                  a selection that names no tracks
│   ├── ConfirmationError               something permanent was asked for without yes=True
│   ├── NotEnoughCreditsError           a sweep that costs more than is left
│   └── AmbiguousPlaylistError          a name that two playlists share
├── PlaylistNotFoundError (LookupError) no playlist of that name or id
├── PlaylistChangedError                somebody changed the playlist since it was planned: .came .went
├── SettingsError                       a configuration file, a credential, a base URL
├── MissingExtraError (ImportError)     a part of the package that is not installed
├── TransportError                      no answer, or none that is the service's
│   ├── ConnectError                    nothing was delivered
│   ├── AnswerLostError                 it was sent, and what became of it is unknown
│   ├── InvalidAnswerError              HTML, truncated JSON, a redirect
│   └── DownloadError                   the media host, the disk, or a length that does not agree
├── APIError                            the service said no: .status .code .details
│   ├── InvalidRequestError             400 VALIDATION_ERROR
│   ├── NothingDoneError                400 ADD_FAILED, MOVE_FAILED
│   ├── AuthenticationError             401
│   ├── OutOfCreditsError               402 MONTHLY_LIMIT_REACHED
│   ├── PlanRequiredError               403 PRO_PLAN_REQUIRED
│   ├── NotFoundError                   404
│   ├── RateLimitError                  429: .retry_after
│   │   └── QueueFullError              429 QUEUE_FULL
│   └── ServiceError                    5xx
├── GenerationError                     the service gave this piece up
├── StillProcessingError (TimeoutError) waited long enough; it goes on, and is paid for
├── JournalError                        the file of a sweep's run: damaged, newer than this version, not writable
│   └── JournalHeldError                another run, or another process, is writing it: .pid
├── LibraryError                        the library kept here: not there yet, damaged, not writable
│   └── LibraryHeldError                another sync is writing it: .pid
├── MeasureError                        sound that cannot be read or is too short to measure
├── StudioError                         the embedded service could not start or was closed
└── WebhookError                        a receiver of webhooks that cannot listen, or is not serving

FinetuningWarning (UserWarning)
├── ClampedWarning                      the service moved a value into its range
├── PartialWarning                      a bulk request that changed some tracks and not others
├── SweepWarning                        a sweep that is not as it was written, or that ended before its end
└── ServiceWarning                      an answer that is usable but not as documented
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finetuning.redaction import redact

__all__ = [
    "APIError",
    "AmbiguousPlaylistError",
    "AnswerLostError",
    "AuthenticationError",
    "ClampedWarning",
    "ConfirmationError",
    "ConnectError",
    "DownloadError",
    "FinetuningError",
    "FinetuningWarning",
    "GenerationError",
    "InvalidAnswerError",
    "InvalidRequestError",
    "JournalError",
    "JournalHeldError",
    "LibraryError",
    "LibraryHeldError",
    "MeasureError",
    "MissingExtraError",
    "NotEnoughCreditsError",
    "NotFoundError",
    "NothingDoneError",
    "OutOfCreditsError",
    "ParameterError",
    "PartialWarning",
    "PlanRequiredError",
    "PlaylistChangedError",
    "PlaylistNotFoundError",
    "QueueFullError",
    "RateLimitError",
    "SelectionError",
    "ServiceError",
    "ServiceWarning",
    "SettingsError",
    "StillProcessingError",
    "StudioError",
    "SweepWarning",
    "TransportError",
    "UsageError",
    "WebhookError",
]


def __dir__() -> list[str]:
    # `ft.errors.<Tab>` offers what can be caught, not what this module is made of.
    return sorted(__all__)


class FinetuningError(Exception):
    """Base of everything that this package raises on purpose.

    Whatever looks like a key is redacted in both texts, since they may quote what a user or a server said.

    Parameters
    ----------
    message
        What was wrong.
    hint
        What to do next; shown on a line of its own.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.message = redact(message)
        self.hint = redact(hint) if hint else None
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions cross process boundaries (joblib, worker processes); keyword arguments would be lost.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[FinetuningError], args: tuple[Any, ...], state: dict[str, Any]) -> FinetuningError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(FinetuningError, ValueError):
    """Refused here, before anything was sent or spent."""


class ParameterError(UsageError):
    """A parameter that the service would not understand.

    Attributes
    ----------
    parameter : str
        Its name as it is written in Python.
    value : object
        What was given; a key among it is redacted.
    """

    def __init__(self, message: str, *, parameter: str, value: Any = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.parameter = parameter
        self.value = redact(value) if isinstance(value, str) else value


class SelectionError(UsageError):
    """A selection from which no track ids can be read."""


class ConfirmationError(UsageError):
    """Something permanent was asked for without `yes=True`."""


class NotEnoughCreditsError(UsageError):
    """A sweep that costs more credits than are left, or than it was allowed to spend."""


class AmbiguousPlaylistError(UsageError):
    """A name that more than one playlist has.

    Attributes
    ----------
    candidates : list of str
        The ids of the playlists with that name.
    """

    def __init__(self, message: str, *, candidates: list[str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.candidates = candidates


class PlaylistNotFoundError(FinetuningError, LookupError):
    """No playlist has that name or id."""


class PlaylistChangedError(FinetuningError):
    """A playlist is not as it was when the plan was made, and not because of the plan.

    Attributes
    ----------
    playlist : str
        Its id.
    came, went : list of str
        The ids that are in it now and were not, and the other way round.
    """

    def __init__(
        self, message: str, *, playlist: str, came: Sequence[str], went: Sequence[str], hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.playlist = playlist
        self.came, self.went = list(came), list(went)


class SettingsError(FinetuningError):
    """A configuration file, a credential or a base URL that cannot be used."""


class MissingExtraError(FinetuningError, ImportError):
    """A part of the package that is not installed; the message names the command that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed.", hint=f"Install it with: pip install 'finetuning[{extra}]'")


class TransportError(FinetuningError):
    """The request brought no answer, or none that is the service's.

    Attributes
    ----------
    request : str or None
        Method and path of the request, without query, body or credentials.
    """

    def __init__(self, message: str, *, request: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.request = request


class ConnectError(TransportError):
    """The service could not be reached; nothing was delivered, so nothing was spent."""


class AnswerLostError(TransportError):
    """The request was sent and the answer was lost: it may or may not have been carried out."""


class InvalidAnswerError(TransportError):
    """An answer that is not the service's: HTML, truncated JSON, a redirect.

    Attributes
    ----------
    status : int or None
        The HTTP status that it came with.
    """

    def __init__(
        self, message: str, *, status: int | None = None, request: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, request=request, hint=hint)
        self.status = status


class DownloadError(TransportError):
    """A file that could not be fetched whole. No partial file stands under its final name."""


class APIError(FinetuningError):
    """The service understood the request and declined it.

    Attributes
    ----------
    status : int
        HTTP status.
    code : str
        The service's code, such as `VALIDATION_ERROR`; one that this version does not know is kept as it is.
    details : object
        The service's details: an object, a list of per-item errors on `NothingDoneError`, or None.
    retry_after : float or None
        Seconds to wait before trying again, where the service said so.
    request : str or None
        Method and path of the request, without query, body or credentials.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        details: Any = None,
        retry_after: float | None = None,
        request: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.details = details
        self.retry_after = retry_after
        self.request = request

    def __str__(self) -> str:
        where = f" ({self.request})" if self.request else ""
        text = f"{self.message} [{self.status} {self.code}]{where}"
        return f"{text}\n{self.hint}" if self.hint else text


class InvalidRequestError(APIError):
    """400: the body is missing or a field is invalid."""


class NothingDoneError(APIError):
    """400 `ADD_FAILED` or `MOVE_FAILED`: no item of the batch succeeded; `details` lists each."""


class AuthenticationError(APIError):
    """401: no key, a wrong key, or a deleted account."""


class OutOfCreditsError(APIError):
    """402: no credits are left this month, nor in a pack."""


class PlanRequiredError(APIError):
    """403: the account's tier has no access to the API."""


class NotFoundError(APIError):
    """404: no such generation or playlist, or none that this account may see."""


class RateLimitError(APIError):
    """429: too many requests; `retry_after` says how long to wait."""


class QueueFullError(RateLimitError):
    """429 `QUEUE_FULL`: too many generations in flight; one must finish first."""


class ServiceError(APIError):
    """5xx: the service failed, usually in passing."""


class GenerationError(FinetuningError):
    """The service accepted the request and could not make the music.

    Attributes
    ----------
    generation : Generation
        The record, with its `error_message`.
    """

    def __init__(self, message: str, *, generation: Any, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.generation = generation


class StillProcessingError(FinetuningError, TimeoutError):
    """Waiting ended before the music was ready; the generation goes on and is paid for.

    Attributes
    ----------
    id : str
        Ask for it later by this id.
    missing : list of str
        All ids that were waited for in vain; `id` is the first.
    """

    def __init__(
        self,
        message: str,
        *,
        id: str,  # noqa: A002 - the wire's name
        missing: Sequence[str] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.id = id
        self.missing = list(missing) or [id]


class JournalError(FinetuningError):
    """The journal of a sweep's run cannot be read or written; the message names the file and the line."""


class JournalHeldError(JournalError):
    """Another run is writing this journal, so this one may not.

    Attributes
    ----------
    pid : int or None
        The process that holds it, where it said so.
    """

    def __init__(self, message: str, *, pid: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.pid = pid


class LibraryError(FinetuningError):
    """The library kept on this machine cannot be found, read or written; the message names the file."""


class LibraryHeldError(LibraryError):
    """Another sync is writing the library, so this one may not.

    Attributes
    ----------
    pid : int or None
        The process that it runs in, where it said so.
    """

    def __init__(self, message: str, *, pid: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.pid = pid


class MeasureError(FinetuningError):
    """Sound that is missing, cannot be decoded, or is too short to be measured."""


class StudioError(FinetuningError):
    """The embedded service could not start, or was used after it was closed."""


class WebhookError(FinetuningError):
    """A receiver of webhooks that cannot listen where it was told to, or that is not serving."""


class FinetuningWarning(UserWarning):
    """Base of the warnings of this package."""


class ClampedWarning(FinetuningWarning):
    """The service moved a value into its range; the warning names both.

    Attributes
    ----------
    generation : Generation or None
        What was accepted and paid for, which must not be lost where warnings are errors.
    """

    def __init__(self, message: str, *, generation: Any = None) -> None:
        super().__init__(message)
        self.generation = generation


class PartialWarning(FinetuningWarning):
    """Some tracks were changed or fetched and others not.

    Attributes
    ----------
    outcome : BulkOutcome or list or None
        What became of each, which must not be lost where warnings are errors.
    """

    def __init__(self, message: str, *, outcome: Any = None) -> None:
        super().__init__(message)
        self.outcome = outcome


class SweepWarning(FinetuningWarning):
    """A sweep is not quite as it was written, or its run ended with something left to do."""


class ServiceWarning(FinetuningWarning):
    """An answer that can be used but is not as documented."""
