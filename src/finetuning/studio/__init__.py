"""The studio: an embedded stand-in for the hosted service, on loopback, with a rule-based composer.

It speaks the service's API, keeps its own database and makes real audio, so that everything works offline and
free. It is not the hosted model, and it does not sing.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from finetuning.errors import MissingExtraError

if TYPE_CHECKING:
    from .service import Studio

__all__ = ["Studio"]

REQUIRED = ("lameenc", "mido", "midirenderer", "pyloudnorm", "scipy", "soundfile", "starlette", "uvicorn")


def _installed() -> bool:
    return all(find_spec(module) is not None for module in REQUIRED)


def __getattr__(name: str) -> Any:
    # Lazy: worker processes and `import finetuning` have no use for the web server.
    if name == "Studio":
        if not _installed():
            raise MissingExtraError("The studio", "studio")
        from .service import Studio

        return Studio
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__) if _installed() else []  # `help` asks for all that is offered
