"""From the bytes of an answer to a record: fast and strict, or tolerant where the service is newer."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Generic, TypeVar, cast, get_args, get_type_hints

import msgspec

from finetuning.records import Record

__all__ = ["decode"]

T = TypeVar("T")


class Envelope(msgspec.Struct, Generic[T]):
    """What every successful answer is wrapped in."""

    data: T


def decode(content: bytes, kind: type[T]) -> T:
    """Read `{"data": …}` into a record.

    Parameters
    ----------
    content
        The body of the answer, UTF-8 JSON.
    kind
        The type that `data` is to become, a `Record` as a rule.

    Raises
    ------
    msgspec.DecodeError
        The body is not JSON, or (`msgspec.ValidationError`, a subclass) is not shaped like `kind` even with
        unknown fields set aside and numbers read from strings.
    """
    try:
        value: T = _decoder(cast("Any", kind)).decode(content).data
    except msgspec.ValidationError:
        envelope = msgspec.json.decode(content, type=Envelope[Any])
        tolerant: T = _build(envelope.data, kind)
        return tolerant
    return value


@lru_cache(maxsize=64)
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(Envelope[kind])


def _build(raw: Any, hint: Any) -> Any:
    """Build what `hint` says from plain JSON, setting unknown fields aside at every level."""
    record = _record_in(hint)
    if record is None or raw is None:
        return msgspec.convert(raw, hint, strict=False)
    if isinstance(raw, list):
        return [_build(item, record) for item in raw]
    if not isinstance(raw, dict):
        return msgspec.convert(raw, record, strict=False)
    fields, hints = _fields(record), _hints(record)
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in raw.items():
        field = fields.get(name)
        if field is None:
            extra[name] = value
        elif value is not None or field.required:
            values[field.name] = _build(value, hints[field.name])
    missing = [name for name, field in fields.items() if field.required and field.name not in values]
    if missing:
        raise msgspec.ValidationError(f"{record.__name__} without its field `{missing[0]}`")
    if extra:
        values["extra"] = extra
    return record(**values)


@lru_cache(maxsize=64)
def _hints(record: type[Record]) -> dict[str, Any]:
    return get_type_hints(record)


@lru_cache(maxsize=64)
def _fields(record: type[Record]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(record) if field.name != "extra"}


@lru_cache(maxsize=256)
def _record_in(hint: Any) -> type[Record] | None:
    """Return the record inside `X`, `X | None` or `list[X]`, if there is one."""
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint
    return next(filter(None, map(_record_in, get_args(hint))), None)
