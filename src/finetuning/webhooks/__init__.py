"""Webhooks: being told by the service that a take is ready, instead of asking again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from finetuning.webhooks.receiver import Receiver

__all__ = ["Receiver"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from finetuning.webhooks import receiver

        return getattr(receiver, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
