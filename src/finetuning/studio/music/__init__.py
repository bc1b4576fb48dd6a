"""A rule-based composer: a request in, a finished piece of music out.

``make_take`` reads the tags, composes for a small band, plays the score through a SoundFont, masters and encodes it. It is a
pure function of the brief and the SoundFont: the same brief gives the same bytes in any process. It is no neural model,
and it does not sing.
"""

from __future__ import annotations

from .brief import Brief, Take
from .studio import make_take
from .titles import choose_key, title_for

__all__ = ["Brief", "Take", "choose_key", "make_take", "title_for"]
