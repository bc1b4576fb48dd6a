"""How this package came here, and so how it is upgraded."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["Way", "how"]


@dataclass(frozen=True)
class Way:
    """How to upgrade.

    Attributes
    ----------
    command
        What to run; None where it is for the user to do.
    advice
        What to do by hand.
    """

    command: list[str] | None
    advice: str


def how(package: Distribution | None = None, prefix: Path | None = None) -> Way:
    """Tell how to upgrade this installation.

    Parameters
    ----------
    package
        The installed distribution; by default this one.
    prefix
        Of the Python environment; by default this one's.
    """
    package = package or distribution("finetuning")
    prefix = prefix or Path(sys.prefix)
    origin: dict[str, Any] = json.loads(package.read_text("direct_url.json") or "{}")
    folder = unquote(urlsplit(origin.get("url", "")).path)
    if origin.get("dir_info", {}).get("editable"):
        return Way(None, f"ft runs from a checkout; update it with: git -C {shlex.quote(folder)} pull")
    if (prefix / "pipx_metadata.json").is_file():
        return _by("pipx", "upgrade", "finetuning")
    if (prefix / "uv-receipt.toml").is_file():
        return _by("uv", "tool", "upgrade", "finetuning")
    if (package.read_text("INSTALLER") or "").strip() == "uv":
        return _by("uv", "pip", "install", "--python", sys.executable, "--upgrade", "finetuning")
    return _by(sys.executable, "-m", "pip", "install", "--upgrade", "finetuning")


def _by(*command: str) -> Way:
    return Way(list(command), f"Run it yourself: {' '.join(command)}")
