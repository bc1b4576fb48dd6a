"""What a command came to, for whoever ran it inside a process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

__all__ = ["API", "INTERRUPTED", "NETWORK", "OK", "USAGE", "Kind", "Outcome"]

OK: Final = 0
#: The service declined, or could not do all of it.
API: Final = 1
#: A flag, an argument, a setting or an input.
USAGE: Final = 2
#: The network, or an answer that is not the service's.
NETWORK: Final = 3
INTERRUPTED: Final = 130

Kind: TypeAlias = Literal[
    "generations", "generation", "playlists", "playlist", "bulk", "account", "downloads", "text", None
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to.

    Attributes
    ----------
    code
        The exit code.
    kind
        What `value` is: a list of `Generation`, a `Generation`, a list of `Playlist`, a `Playlist`, a `BulkOutcome`,
        an `Account`, a list of `Downloaded`; None for `text` and where nothing came of it.
    value
        The records.
    """

    code: int = OK
    kind: Kind = None
    value: Any = None
