"""What is a delivery and what is not, to the last field; whatever else is posted is refused in one line."""

from __future__ import annotations

import json
import string
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetuning.frames import GENERATION_COLUMNS, generations_frame
from finetuning.records import Generation, Parameters
from finetuning.webhooks.deliveries import NotADeliveryError, read

Body = Callable[..., dict[str, Any]]


def refused(content: bytes) -> str:
    with pytest.raises(NotADeliveryError) as caught:
        read(content)
    reason = str(caught.value)
    assert reason.isprintable()
    assert len(reason) <= 201
    return reason


def test_the_documented_body(body: Body) -> None:
    told = read(json.dumps(body()).encode())
    assert told == Generation(
        id="0d9f3f4e",
        status="completed",
        audio_url="https://media.finetuning.ai/0d9f3f4e.mp3",
        duration=90.3,
        prompt="lofi chill piano",
        parameters=Parameters(bpm=85, duration=90.0, keyscale="C minor", timesignature=4, seed=7, language="en"),
        created="2025-01-15T10:30:00.250Z",
        completed="2025-01-15T10:30:17.623Z",
    )
    assert told.completed_at == datetime(2025, 1, 15, 10, 30, 17, 623_000, tzinfo=UTC)


def test_one_that_failed(body: Body) -> None:
    told = read(json.dumps(body(status="failed")).encode())
    assert (told.status, told.audio_url, told.duration) == ("failed", None, None)


def test_unknown_fields_are_passed_over(body: Body) -> None:
    parameters = body()["parameters"] | {"energy": "high", "timesignature": "4"}
    told = read(json.dumps(body(type="music", deep={"er": [1, None]}, parameters=parameters)).encode())
    assert told.extra == {}
    assert told.parameters is not None
    assert (told.parameters.extra, told.parameters.timesignature) == ({}, "4")


def test_what_may_be_null(body: Body) -> None:
    told = read(json.dumps(body(prompt=None, parameters=None, createdAt=None, completedAt=None)).encode())
    assert (told.prompt, told.parameters, told.created, told.completed) == (None, None, None, None)


@pytest.mark.parametrize(
    "field", ["id", "status", "audioUrl", "duration", "prompt", "parameters", "createdAt", "completedAt"]
)
def test_a_field_that_is_missing_is_named(body: Body, field: str) -> None:
    content = body()
    del content[field]
    assert field in refused(json.dumps(content).encode())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": ""}, r"\$\.id"),
        ({"id": 7}, r"\$\.id"),
        ({"id": None}, r"\$\.id"),
        ({"id": "x" * 201}, r"\$\.id"),
        ({"id": "two words"}, "`id` holds spaces"),
        ({"id": "nul\0"}, "`id` holds spaces"),
        ({"status": "processing"}, r"\$\.status"),
        ({"status": "done\nSet-Cookie: x"}, r"\$\.status"),
        ({"status": "x" * 5000}, "…"),
        ({"audioUrl": None}, "audioUrl"),
        ({"audioUrl": "javascript:alert(1)"}, "audioUrl"),
        ({"audioUrl": "http://[::1"}, "audioUrl"),
        ({"audioUrl": "https:///x.mp3"}, "audioUrl"),
        ({"duration": None}, "duration"),
        ({"duration": "90"}, r"\$\.duration"),
        ({"duration": -1}, r"\$\.duration"),
        ({"status": "failed", "audioUrl": "https://media.finetuning.ai/x.mp3"}, "neither"),
        ({"status": "failed", "duration": 3.0}, "neither"),
        ({"prompt": ["lofi"]}, r"\$\.prompt"),
        ({"parameters": [85]}, r"\$\.parameters"),
        ({"parameters": {"bpm": True}}, r"\$\.parameters\.bpm"),
        ({"parameters": {"seed": 2**64}}, r"\$\.parameters\.seed"),
        ({"parameters": {"timesignature": 2**63}}, r"\$\.parameters\.timesignature"),
        ({"createdAt": "yesterday"}, "`createdAt` is not a time"),
        ({"completedAt": ""}, "`completedAt` is not a time"),
        ({"completedAt": "9999-01-01T00:00:00Z"}, "`completedAt` is not a time"),
        ({"completedAt": 1_736_937_017}, r"\$\.completedAt"),
    ],
)
def test_what_is_not_as_documented(body: Body, changes: dict[str, Any], said: str) -> None:
    content = json.dumps(body(**changes)).encode()
    with pytest.raises(NotADeliveryError, match=said):
        read(content)
    refused(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"{", "not JSON"),
        (b"{} {}", "not"),
        (b"null", "not as documented"),
        (b"[]", "not as documented"),
        (b'{"data": {}}', "not as documented"),
        (b'{"id": "\xff"}', "not UTF-8"),
        (b'{"unknown": "\xff"}', "not UTF-8"),
        (b'{"id": "\\ud800"}', "not JSON"),
        (b'{"deep": ' + b"[" * 60_000, "too deeply"),
    ],
)
def test_what_is_not_json_at_all(content: bytes, said: str) -> None:
    assert said in refused(content)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 5000, "NaN", "Infinity"])
@pytest.mark.parametrize("field", ['"duration":90.3', '"bpm":85', '"seed":7', '"timesignature":4'])
def test_numbers_beyond_all_bounds(body: Body, field: str, number: str) -> None:
    content = json.dumps(body(), separators=(",", ":"))
    assert field in content
    refused(content.replace(field, f"{field.partition(':')[0]}:{number}").encode())


def test_a_reason_repeats_no_key(body: Body) -> None:
    assert "ft_live_ab3f...****" in refused(json.dumps(body(status="ft_live_" + "ab3f" * 8)).encode())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = ("id", "status", "audioUrl", "duration", "prompt", "parameters", "createdAt", "completedAt")
_LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "id": st.text(min_size=1, max_size=40) | st.text(string.hexdigits, min_size=1, max_size=40),
    "status": st.sampled_from(["completed", "failed"]),
    "audioUrl": st.none() | st.just("https://media.finetuning.ai/a.mp3"),
    "duration": st.none() | st.floats(0, allow_infinity=False) | st.integers(0, 10**30),
    "prompt": st.none() | st.text(max_size=40),
    "parameters": st.fixed_dictionaries(
        {},
        optional={
            "bpm": st.integers(-(2**64), 2**64),
            "duration": st.floats(allow_nan=False, allow_infinity=False),
            "keyscale": st.text(max_size=12),
            "timesignature": st.integers() | st.text(max_size=4),
            "seed": st.integers(-(2**64), 2**64),
            "language": st.text(max_size=4),
        },
    ),
    "createdAt": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    "completedAt": st.none() | st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
}


def _harmless(content: bytes) -> None:
    """Whatever is taken fits into a frame as it is documented, without so much as a warning."""
    try:
        told = read(content)
    except NotADeliveryError:
        refused(content)
        return
    assert told.finished
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = generations_frame([told])
    assert list(frame.columns) == list(GENERATION_COLUMNS)
    empty = generations_frame([])
    plain = [name for name in GENERATION_COLUMNS if GENERATION_COLUMNS[name] != "category"]
    assert (frame.dtypes[plain] == empty.dtypes[plain]).all()
    assert frame.loc[0, "id"] == told.id


@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    _harmless(content)


@given(_JSON)
def test_any_json(value: Any) -> None:
    _harmless(json.dumps(value).encode())


@given(st.fixed_dictionaries(_LIKELY))
def test_what_is_nearly_a_delivery(value: dict[str, Any]) -> None:
    _harmless(json.dumps(value).encode(errors="replace"))


@given(st.fixed_dictionaries(_LIKELY), st.sampled_from(_FIELDS), _JSON)
def test_one_field_that_is_anything(value: dict[str, Any], field: str, other: Any) -> None:
    _harmless(json.dumps(value | {field: other}).encode())


@given(st.text(string.hexdigits, min_size=1, max_size=200), st.floats(0, 1e6), st.text(max_size=700))
def test_what_is_as_documented_is_taken(id_: str, duration: float, prompt: str) -> None:
    content = {
        "id": id_,
        "status": "completed",
        "audioUrl": "https://media.finetuning.ai/a.mp3",
        "duration": duration,
        "prompt": prompt,
        "parameters": {"timesignature": 3},
        "createdAt": "2025-01-15 10:30:00",
        "completedAt": "2025-01-15T10:30:17Z",
    }
    told = read(msgspec.json.encode(content))
    assert (told.id, told.duration, told.prompt) == (id_, duration, prompt)
