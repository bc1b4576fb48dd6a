"""Sound on this machine: files and measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from finetuning.audio.measurement import Measurement, measure

__all__ = ["Measurement", "measure"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from finetuning.audio import measurement

        return getattr(measurement, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
