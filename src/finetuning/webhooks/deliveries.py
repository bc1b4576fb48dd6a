"""The body of a webhook: what is documented, checked to the last field, and a record made of it."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec

from finetuning.records import Generation, Parameters, parse_time
from finetuning.redaction import redact

__all__ = ["NotADeliveryError", "read"]

#: Years that a moment may lie in; nanoseconds since 1970, which frames count, end in 2262.
_YEARS: Final = range(1970, 2262)
#: What 64 bits hold, and so a column of a frame does.
_Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_REASON_MAX: Final = 200


class NotADeliveryError(Exception):
    """What was posted is not what the service posts; the message is one line, and repeats nothing secret."""


class _Asked(msgspec.Struct):
    """`parameters`; a field that is new to this version is passed over."""

    bpm: _Whole | None = None
    duration: float | None = None
    keyscale: str | None = None
    timesignature: _Whole | str | None = None
    seed: _Whole | None = None
    language: str | None = None
    key: str | None = None
    scale: str | None = None
    lyrics: str | None = None
    tags: str | None = None


class _Body(msgspec.Struct, rename="camel"):
    """The documented fields. Others are passed over: nobody acts on them, and anybody may have written them."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    status: Literal["completed", "failed"]
    audio_url: str | None
    duration: Annotated[float, msgspec.Meta(ge=0)] | None
    prompt: str | None
    parameters: _Asked | None
    created_at: str | None
    completed_at: str | None


_DECODER: Final = msgspec.json.Decoder(_Body)


def read(content: bytes) -> Generation:
    """Read what was posted.

    Parameters
    ----------
    content
        The body as it came.

    Returns
    -------
    Generation
        With the documented fields and nothing else.

    Raises
    ------
    NotADeliveryError
        It is not UTF-8 or JSON, a documented field is missing or of another type, or they contradict each other.
    """
    try:
        content.decode()  # whole: the decoder does not look into what it passes over
        body = _DECODER.decode(content)
    except UnicodeDecodeError:
        raise NotADeliveryError("The body is not UTF-8.") from None
    except msgspec.ValidationError as problem:
        raise NotADeliveryError(_one_line(f"The body is not as documented: {problem}.")) from None
    except msgspec.DecodeError as problem:
        raise NotADeliveryError(_one_line(f"The body is not JSON: {problem}.")) from None
    except RecursionError:
        raise NotADeliveryError("The body is nested too deeply.") from None
    _agree(body)
    asked = body.parameters
    return Generation(
        id=body.id,
        status=body.status,
        audio_url=body.audio_url,
        duration=body.duration,
        prompt=body.prompt,
        parameters=None if asked is None else Parameters(**msgspec.structs.asdict(asked)),
        created=body.created_at,
        completed=body.completed_at,
    )


def _agree(body: _Body) -> None:
    if not body.id.isprintable() or " " in body.id:
        raise NotADeliveryError("`id` holds spaces or other characters that no id has.")
    if body.status == "failed" and (body.audio_url is not None or body.duration is not None):
        raise NotADeliveryError("A generation that failed has neither `audioUrl` nor `duration`.")
    if body.status == "completed" and (body.duration is None or not _is_address(body.audio_url)):
        raise NotADeliveryError("A completed generation has an http(s) `audioUrl` and a `duration`.")
    for name, text in (("createdAt", body.created_at), ("completedAt", body.completed_at)):
        moment = parse_time(text)
        if text is not None and (moment is None or moment.year not in _YEARS):
            raise NotADeliveryError(f"`{name}` is not a time.")


def _is_address(text: str | None) -> bool:
    try:
        parts = urlsplit(text or "")
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _one_line(text: str) -> str:
    shown = "".join(each if each.isprintable() else "?" for each in text)
    return redact(shown if len(shown) <= _REASON_MAX else f"{shown[:_REASON_MAX]}…")
