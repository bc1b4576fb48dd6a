"""Tracks as a page to share: players that work from a folder, from any static host, and without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from finetuning.listening.page import ListeningPage, listening_page

__all__ = ["ListeningPage", "listening_page"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from finetuning.listening import page

        return getattr(page, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
