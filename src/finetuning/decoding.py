"""From the bytes of an answer to a record: fast and strict, or tolerant where the service is newer."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, Generic, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec

from finetuning.records import Account, Created, Generation, Limits, Parameters, Playlist, Record

__all__ = ["decode"]

T = TypeVar("T")

#: Rows, of which a field that is not as documented is set aside. In pages and bulk answers it is an error: to go on
#: without `hasMore` or `added` would be to lose rows.
_ROWS: Final = frozenset({Account, Created, Generation, Limits, Parameters, Playlist})


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
    UnicodeDecodeError
        Text in it is not UTF-8.
    RecursionError
        The body is nested without end.
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
    record, many = _record_in(hint)
    if many and isinstance(raw, list):
        return [_build(item, record) for item in raw]
    if record is None or many or not isinstance(raw, dict):
        return msgspec.convert(raw, hint, strict=False)
    fields, hints = _fields(record), _hints(record)
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in raw.items():
        field = fields.get(name)
        if field is None:
            extra[name] = value
        elif value is not None or field.required:
            try:
                values[field.name] = _build(value, hints[field.name])
            except msgspec.ValidationError as problem:
                if field.required or record not in _ROWS:
                    raise msgspec.ValidationError(f"`{name}` of {record.__name__}: {problem}") from None
                extra[name] = value
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
def _record_in(hint: Any) -> tuple[type[Record] | None, bool]:
    """Return the record inside `X`, `X | None` or `list[X]`, and whether it is a list of them."""
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint, False
    inner = next((found for found, _ in map(_record_in, get_args(hint)) if found), None)
    many = get_origin(hint) is list or any(get_origin(part) is list for part in get_args(hint))
    return inner, inner is not None and many
