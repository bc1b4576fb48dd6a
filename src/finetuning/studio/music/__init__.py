"""A rule-based composer: a request in, a finished piece of music out.

``make_take`` reads the tags, composes for a small band, plays the score through a SoundFont, masters and encodes it.
It is a pure function of the brief and the SoundFont: the same brief gives the same bytes in any process. It is no
neural model, and it does not sing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .brief import Brief, Take
from .titles import choose_key, title_for

if TYPE_CHECKING:
    from .stems import make_stems
    from .studio import make_take

__all__ = ["Brief", "Take", "choose_key", "make_stems", "make_take", "title_for"]


def __getattr__(name: str) -> Any:
    # Lazy: the service chooses keys and titles; only its workers play, and need scipy and the codecs.
    if name == "make_take":
        from .studio import make_take

        return make_take
    if name == "make_stems":
        from .stems import make_stems

        return make_stems
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
