"""When each layer enters: once, and then it stays."""

from __future__ import annotations

from .cast import Cast
from .form import Form
from .streams import Streams, pick
from .styles import Style

__all__ = ["entries"]

LAYERS = ("pad", "arp")
"""Roles that may wait: the others carry the piece from its first bar."""


def entries(form: Form, cast: Cast, style: Style, streams: Streams) -> dict[str, int]:
    """Choose the section, by its number, in which each layer enters.

    What the style is known by does not wait, nor does what stands in for missing chords; in a piece of one or two
    sections nothing does. The others enter with a verse or a chorus, no two of them with the same one where there
    are enough.
    """
    found = dict.fromkeys(LAYERS, 0)
    seams = [i for i, s in enumerate(form.sections) if i and s.kind in ("verse", "chorus")]
    waiting = [role for role in LAYERS if role in cast.roles and role not in style.steady]
    if len(form.sections) < 3 or "chords" not in cast.roles or not seams:
        return found
    early = seams[: max(2, len(seams) // 2)]
    for role in waiting:
        seam = pick(streams.of("layers", role), early)
        found[role] = seam
        early = [other for other in early if other != seam] or early
    return found
