from __future__ import annotations

import copy
import json
import keyword
import pickle
import string
from datetime import UTC, datetime, timedelta, timezone

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from finetuning.decoding import decode
from finetuning.records import (
    Account,
    BulkAnswer,
    Created,
    Generation,
    GenerationPage,
    ItemError,
    Limits,
    Parameters,
    Playlist,
    PlaylistList,
    Record,
    beats,
    parse_time,
    snake_case,
    split_keyscale,
)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-01-15 10:30:00", datetime(2025, 1, 15, 10, 30, tzinfo=UTC)),
        ("2025-01-15T10:30:00Z", datetime(2025, 1, 15, 10, 30, tzinfo=UTC)),
        ("2025-01-15T10:30:17.623Z", datetime(2025, 1, 15, 10, 30, 17, 623000, tzinfo=UTC)),
        ("2025-01-15T12:30:00+02:00", datetime(2025, 1, 15, 10, 30, tzinfo=UTC)),
        (None, None),
        ("", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+05:00", None),
    ],
)
def test_all_timestamps_mean_utc(text: str | None, moment: datetime | None) -> None:
    assert parse_time(text) == moment


@given(st.datetimes(min_value=datetime(1900, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_any_shape_of_a_moment_is_the_same_moment(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=UTC, microsecond=naive.microsecond // 1000 * 1000)
    whole = moment.replace(microsecond=0)
    assert parse_time(whole.strftime("%Y-%m-%d %H:%M:%S")) == whole
    assert parse_time(whole.strftime("%Y-%m-%dT%H:%M:%SZ")) == whole
    assert parse_time(moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z") == moment
    if 1901 < moment.year < 9999:
        assert parse_time(moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat()) == moment


@given(st.text())
def test_text_that_is_no_time_is_no_error(text: str) -> None:
    moment = parse_time(text)
    assert moment is None or moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "number"),
    [(4, 4), ("4", 4), ("4/4", 4), ("6/8", 6), (4.0, 4), (" 3 ", 3)]
    + [(bad, None) for bad in (None, "four", "", "9" * 400, "²", 3.5)],
)
def test_a_time_signature_is_a_number_however_it_comes(value: int | float | str | None, number: int | None) -> None:
    assert beats(value) == number


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("C minor", ("C", "minor")),
        (" F#  major ", ("F#", "major")),
        ("D", ("D", None)),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_key_and_scale_are_told_apart(text: str | None, parts: tuple[str | None, str | None]) -> None:
    assert split_keyscale(text) == parts


@pytest.mark.parametrize(
    ("wire", "column"),
    [
        ("playCount", "play_count"),
        ("id", "id"),
        ("audioURL", "audio_url"),
        ("HTTPStatus", "http_status"),
        ("is_public", "is_public"),
        ("bpm2Value", "bpm2_value"),
        ("Mood Tag-1", "mood_tag_1"),
    ],
)
def test_names_of_the_wire_become_names_of_columns(wire: str, column: str) -> None:
    assert snake_case(wire) == column


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,30}", fullmatch=True))
def test_a_column_name_can_be_an_attribute(name: str) -> None:
    column = snake_case(name)
    assert column == column.lower()
    assert column.isidentifier() or keyword.iskeyword(column)
    assert column.replace("_", "") == name.lower()
    assert snake_case(column) == column


def test_a_generation_reads_its_parameters() -> None:
    asked = Parameters(bpm=85, duration=30, keyscale="C minor", timesignature="4", seed=7, language="en")
    take = Generation(id="x", parameters=asked, status="failed", created="2025-01-15 10:30:00")
    assert (take.bpm, take.key, take.scale, take.time_signature) == (85, "C", "minor", 4)
    assert (take.seed, take.language, take.requested_duration, take.finished) == (7, "en", 30, True)
    assert take.created_at == datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
    assert take.completed_at is None


def test_a_generation_without_parameters_reads_none() -> None:
    take = Generation(id="x")
    assert {take.bpm, take.key, take.scale, take.time_signature, take.seed, take.language} == {None}
    assert take.requested_duration is None
    assert not take.finished


def test_key_and_scale_under_names_of_their_own_are_read_too() -> None:
    take = Generation(id="x", parameters=Parameters(key="D", scale="major"))
    assert (take.key, take.scale) == ("D", "major")


def test_a_playlist_tells_its_times() -> None:
    playlist = Playlist(id="p", created="2025-01-15 10:30:00", updated="2025-01-16 10:30:00")
    assert playlist.created_at
    assert playlist.updated_at
    assert playlist.updated_at - playlist.created_at == timedelta(days=1)


@pytest.mark.parametrize("verb", ["added", "removed", "moved", "deleted"])
def test_an_answer_of_any_bulk_verb_names_what_succeeded(verb: str) -> None:
    assert msgspec.convert({verb: ["a", "b"]}, BulkAnswer).succeeded == ["a", "b"]


def test_the_item_of_an_error_has_either_name() -> None:
    assert [ItemError(id="a").item, ItemError(track_id="b").item, ItemError().item] == ["a", "b", ""]


def test_records_are_copied_and_cross_processes() -> None:
    take = Generation(id="x", parameters=Parameters(bpm=1), extra={"mood": "calm"})
    for again in (pickle.loads(pickle.dumps(take)), copy.deepcopy(take), copy.copy(take)):  # noqa: S301 - our bytes
        assert again == take
        assert repr(again) == repr(take)
    assert pickle.loads(pickle.dumps(Generation(id="x"))).extra is Generation(id="y").extra  # noqa: S301


def test_what_is_shared_by_records_without_extra_fields_stays_empty() -> None:
    extra = Generation(id="x").extra
    with pytest.raises(TypeError, match="shared"):
        extra["mood"] = "calm"  # type: ignore[index]  # typing says no, too
    assert not extra


# Decoding

ROWS = [Account, Limits, Parameters, Generation, Created, Playlist]


def test_unknown_fields_are_kept_at_every_level() -> None:
    page = decode(
        b'{"data": {"generations": [{"id": "a", "mood": "calm", "parameters": {"bpm": 90, "swing": 0.6}}],'
        b' "hasMore": true, "nextOffset": 1, "cursor": "c"}, "meta": {"took": 3}}',
        GenerationPage,
    )
    assert page.extra == {"cursor": "c"}
    assert page.generations[0].extra == {"mood": "calm"}
    assert page.generations[0].parameters == Parameters(bpm=90, extra={"swing": 0.6})
    assert (page.has_more, page.next_offset) == (True, 1)


def test_a_playlist_keeps_unknown_fields_of_its_tracks() -> None:
    playlist = decode(b'{"data": {"id": "p", "mood": 1, "tracks": [{"id": "a", "mood": 2}]}}', Playlist)
    assert playlist.extra == {"mood": 1}
    assert playlist.tracks == [Generation(id="a", extra={"mood": 2})]


def test_a_field_that_is_called_extra_is_no_accident() -> None:
    assert decode(b'{"data": {"id": "a", "extra": 5}}', Generation).extra == {"extra": 5}


def test_nulls_are_as_good_as_nothing() -> None:
    nulls = b'{"data": {"id": "a", "audioUrl": null, "fileSize": null, "parameters": null, "new": null}}'
    assert decode(nulls, Generation) == Generation(id="a", extra={"new": None})
    assert decode(b'{"data": {"playlists": [{"id": "p", "tracks": null}]}}', PlaylistList).playlists[0].tracks is None
    assert decode(b'{"data": {"added": ["a"], "errors": null}}', BulkAnswer) == BulkAnswer(added=["a"])


def test_errors_may_be_missing() -> None:
    assert decode(b'{"data": {"deleted": ["a"]}}', BulkAnswer).errors == []


def test_numbers_in_strings_are_numbers() -> None:
    take = decode(b'{"data": {"id": "a", "duration": "90.3", "playCount": "3", "likeCount": 4.0}}', Generation)
    assert (take.duration, take.play_count, take.like_count) == (90.3, 3, 4)


def test_a_field_of_another_type_costs_neither_row_nor_page() -> None:
    take = decode(b'{"data": {"id": "a", "webhook": {"url": "u"}, "parameters": [1], "title": "t"}}', Generation)
    assert take == Generation(id="a", title="t", extra={"webhook": {"url": "u"}, "parameters": [1]})


@pytest.mark.parametrize(
    ("content", "kind", "why"),
    [
        (b'{"data": {"generations": {"id": "x"}}}', GenerationPage, "`generations` of GenerationPage"),
        (b'{"data": {"generations": [], "hasMore": "maybe"}}', GenerationPage, "`hasMore`"),
        (b'{"data": {"generations": [{"title": "t"}]}}', GenerationPage, "`id`"),
        (b'{"data": {"generations": [null]}}', GenerationPage, "`generations`"),
        (b'{"data": {"added": ["x"], "errors": {"trackId": "x"}}}', BulkAnswer, "`errors`"),
        (b'{"data": {"id": null, "new": 1}}', Generation, "`id` of Generation"),
        (b'{"data": {"new": 1}}', Generation, "without its field `id`"),
        (b'{"data": []}', Generation, "array"),
        (b'{"data": null}', Generation, "null"),
        (b'{"date": {}}', Generation, "data"),
        (b"[]", Generation, "object"),
        (b'{"data": {"id": "x"', Generation, "truncated"),
        (b"", Generation, "truncated"),
        (b'{"data": {"id": "\xff"}}', Generation, "utf-8"),
    ],
)
def test_what_is_not_the_service_s_shape_is_an_error(content: bytes, kind: type, why: str) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError), match=why):
        decode(content, kind)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(string.printable, max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
wire_names = st.sampled_from(
    ["id", "title", "status", "parameters", "duration", "playCount", "createdAt", "isPublic", "extra", "mood", "tracks",
     "limits", "monthlyRemaining", "bpm", "keyscale", "timesignature", "seed", "name", "trackCount", "creditsRemaining"]
)  # fmt: skip


@given(st.sampled_from(ROWS), st.dictionaries(wire_names, json_values))
def test_whatever_a_row_holds_nothing_of_it_is_lost(kind: type, fields: dict[str, object]) -> None:
    fields["id"] = "x"
    record: Record = decode(msgspec.json.encode({"data": fields}), kind)
    kept = msgspec.to_builtins(record)
    extra = dict(kept.pop("extra"))
    for name, value in fields.items():
        if value is not None and name != "extra":
            assert name in extra or kept.get(name) is not None


def test_a_key_in_any_field_of_a_record_is_not_shown() -> None:
    key = "ft_live_" + "ab3f" * 8
    account = decode(json.dumps({"data": {"id": "u", "apiKeys": [key]}}).encode(), Account)
    generation = Generation(id="g", webhook=f"https://example.com/?k={key}")
    for shown in (repr(account), repr(generation), str(generation), f"{generation}", repr([generation])):
        assert key not in shown
        assert "ft_live_ab3f...****" in shown
