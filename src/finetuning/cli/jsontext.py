"""`--json`: the service's own envelope, re-indented and otherwise as it was."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["envelope", "indented"]


def indented(content: bytes) -> str:
    """Indent JSON by two; numbers, unknown fields and the order of keys stay as they are."""
    return msgspec.json.format(content, indent=2).decode()


def envelope(data: Any, **beside: Any) -> str:
    """Wrap what was merged from several answers as the service would."""
    return indented(msgspec.json.encode({"data": data} | beside))
