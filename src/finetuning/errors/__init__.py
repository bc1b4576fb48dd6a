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

from .base import FinetuningError
from .machine import (
    JournalError,
    JournalHeldError,
    LibraryError,
    LibraryHeldError,
    MeasureError,
    StudioError,
    WebhookError,
)
from .playlists import AmbiguousPlaylistError, PlaylistChangedError, PlaylistNotFoundError
from .usage import (
    ConfirmationError,
    MissingExtraError,
    NotEnoughCreditsError,
    ParameterError,
    SelectionError,
    SettingsError,
    UsageError,
)
from .warnings import ClampedWarning, FinetuningWarning, PartialWarning, ServiceWarning, SweepWarning
from .wire import (
    AnswerLostError,
    APIError,
    AuthenticationError,
    ConnectError,
    DownloadError,
    GenerationError,
    InvalidAnswerError,
    InvalidRequestError,
    NotFoundError,
    NothingDoneError,
    OutOfCreditsError,
    PlanRequiredError,
    QueueFullError,
    RateLimitError,
    ServiceError,
    StillProcessingError,
    TransportError,
)

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

# They are caught here, so they say that they are from here: in tracebacks, filters of warnings and pickles.
for _name in __all__:
    globals()[_name].__module__ = __name__


def __dir__() -> list[str]:
    # `ft.errors.<Tab>` offers what can be caught, not what this module is made of.
    return sorted(__all__)
