"""Sounds that were fetched lately."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

__all__ = ["SoundCache"]

_BOUND: Final = 64 * 2**20


class SoundCache:
    """Bytes by id, the least recently used dropped first.

    Parameters
    ----------
    bound
        Bytes in all; a sound that is larger by itself is not kept.
    """

    def __init__(self, bound: int = _BOUND) -> None:
        self._bound = bound
        self._held = 0
        self._sounds: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, id: str) -> bytes | None:  # noqa: A002 - the wire's name
        """Return a sound and count it as used, or None."""
        with self._lock:
            if id in self._sounds:
                self._sounds.move_to_end(id)
            return self._sounds.get(id)

    def put(self, id: str, sound: bytes) -> None:  # noqa: A002 - the wire's name
        """Keep a sound, at the cost of those that were not used for longest."""
        with self._lock:
            self._held += len(sound) - len(self._sounds.pop(id, b""))
            self._sounds[id] = sound
            while self._held > self._bound:
                self._held -= len(self._sounds.popitem(last=False)[1])
