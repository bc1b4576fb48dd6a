"""The only package that imports httpx: credentials, waiting at limits, retries, redaction, streams.

`service` sends requests and reads what comes back; `failures` says what it means where nothing does; `media` streams
files, from hosts that must not see the key; `clients` makes the HTTP client of either, and keeps keys out of logs.
"""

from __future__ import annotations

from finetuning.media import MediaStream
from finetuning.policy import Policy

from .service import Answer, Transport

__all__ = ["Answer", "MediaStream", "Policy", "Transport"]
