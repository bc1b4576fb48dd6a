"""Downloads from a real server that misbehaves in every way that servers do."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from finetuning.audio.downloads import fetch_bytes, fetch_file
from finetuning.audio.partials import part_of, partial
from finetuning.errors import DownloadError, FinetuningError
from finetuning.keys import ApiKey
from finetuning.transport import Policy, Transport

KEY = "ft_live_" + "0123456789abcdef" * 2
MUSIC = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(2000))  # 64,000 bytes, no two parts alike
OTHER = b"".join(hashlib.sha256(str(-n).encode()).digest() for n in range(1, 2001))


def fetch(url: str, path: Path, base: str = "http://127.0.0.1:9", **options: Any) -> int:
    async def fetch() -> int:
        transport = Transport(base, ApiKey(KEY), policy=Policy(timeout=5))
        try:
            return await fetch_file(transport, url, path, **options)
        finally:
            await transport.aclose()

    return asyncio.run(fetch())


class Bucket:
    """A media host with ranges, as a bucket is; each attempt may be spoilt in its own way."""

    def __init__(self, host: Any, music: bytes = MUSIC, etag: str | None = '"v1"', ranges: bool = True) -> None:
        self.host, self.music, self.etag, self.ranges = host, music, etag, ranges
        self.if_range = True
        self.cut: list[int | None] = []  # so many bytes of each attempt, and then the line goes dead
        host.answer = self.answer

    @property
    def url(self) -> str:
        return f"{self.host.url}/take.mp3"

    @property
    def asked(self) -> list[str | None]:
        return [headers.get("Range") for _, _, headers in self.host.seen]

    def answer(self, handler: Any) -> None:
        start = 0
        wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        valid = not self.if_range or handler.headers.get("If-Range", self.etag) == self.etag
        headers = {"etag": self.etag or ""}
        if wanted and self.ranges and valid:
            start = int(wanted[1])
            if start >= len(self.music):
                self.host.send(handler, 416, content_range=f"bytes */{len(self.music)}")
                return
            headers["content_range"] = f"bytes {start}-{len(self.music) - 1}/{len(self.music)}"
        body = self.music[start:]
        cut = self.cut.pop(0) if self.cut else None
        if cut is not None:
            handler.close_connection = True
        self.host.send(handler, 206 if start else 200, body[:cut], content_length=str(len(body)), **headers)


@pytest.fixture
def bucket(host: Any) -> Bucket:
    return Bucket(host)


def test_a_file_arrives_whole_and_alone(bucket: Bucket, tmp_path: Path) -> None:
    path = tmp_path / "takes" / "new" / "take.mp3"
    seen: list[tuple[int, int | None]] = []
    assert fetch(bucket.url, path, progress=lambda here, total: seen.append((here, total))) == len(MUSIC)
    assert path.read_bytes() == MUSIC
    assert list(path.parent.iterdir()) == [path]
    assert seen[-1] == (len(MUSIC), len(MUSIC))
    assert [here for here, _ in seen] == sorted(here for here, _ in seen)


def test_the_media_host_sees_no_key(bucket: Bucket, tmp_path: Path) -> None:
    fetch(bucket.url, tmp_path / "take.mp3")
    ((_, _, headers),) = bucket.host.seen
    assert {"x-api-key", "authorization", "cookie"}.isdisjoint(name.lower() for name in headers)
    assert KEY not in str(headers)
    assert headers["Accept-Encoding"] == "identity"


def test_a_line_that_goes_dead_is_taken_up_again(bucket: Bucket, tmp_path: Path) -> None:
    bucket.cut = [20_000, 10_000]
    assert fetch(bucket.url, tmp_path / "take.mp3") == len(MUSIC)
    assert (tmp_path / "take.mp3").read_bytes() == MUSIC
    assert bucket.asked == [None, f"bytes={20_000 - 4096}-", f"bytes={20_000 - 4096 + 10_000 - 4096}-"]
    assert bucket.host.seen[1][2]["If-Range"] == '"v1"'


def test_a_line_that_brings_nothing_is_given_up(bucket: Bucket, tmp_path: Path) -> None:
    bucket.cut = [20_000, 0, 0, 0, 0, 0]
    path = tmp_path / "take.mp3"
    with pytest.raises(DownloadError, match="broke off") as caught:
        fetch(bucket.url, path)
    assert "goes on where it stopped" in str(caught.value)
    assert len(bucket.asked) == 2
    assert not path.exists()
    assert (tmp_path / "take.mp3.part").read_bytes() == MUSIC[:20_000]


def test_a_line_that_dies_again_and_again_is_given_up_with_what_it_brought(bucket: Bucket, tmp_path: Path) -> None:
    bucket.cut = [6000] * 9
    with pytest.raises(DownloadError, match="broke off"):
        fetch(bucket.url, tmp_path / "take.mp3")
    assert len(bucket.asked) == 5
    part = (tmp_path / "take.mp3.part").read_bytes()
    assert part == MUSIC[: 6000 + 4 * (6000 - 4096)]


def test_what_an_earlier_attempt_left_is_continued(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "take.mp3.part").write_bytes(MUSIC[:30_000])
    fetch(bucket.url, tmp_path / "take.mp3")
    assert (tmp_path / "take.mp3").read_bytes() == MUSIC
    assert bucket.asked == [f"bytes={30_000 - 4096}-"]
    assert not (tmp_path / "take.mp3.part").exists()


@pytest.mark.parametrize(
    "left",
    [OTHER[:30_000], MUSIC + b"more", MUSIC[:-1] + b"?", OTHER + OTHER, b"", b"short", MUSIC],
    ids=["another", "longer", "last byte", "twice as long", "nothing", "short", "whole"],
)
@pytest.mark.parametrize("ranges", [True, False])
def test_whatever_was_left_the_file_is_the_host_s(host: Any, tmp_path: Path, left: bytes, ranges: bool) -> None:
    bucket = Bucket(host, ranges=ranges)
    (tmp_path / "take.mp3.part").write_bytes(left)
    assert fetch(bucket.url, tmp_path / "take.mp3") == len(MUSIC)
    assert (tmp_path / "take.mp3").read_bytes() == MUSIC


@pytest.mark.parametrize("etag", ['"v1"', 'W/"v1"', None], ids=["strong", "weak", "none"])
@pytest.mark.parametrize("if_range", [True, False])
def test_a_file_that_changes_between_attempts_is_fetched_anew(
    host: Any, tmp_path: Path, etag: str | None, if_range: bool
) -> None:
    bucket = Bucket(host, etag=etag)
    bucket.if_range = if_range
    bucket.cut = [20_000]
    answer = bucket.answer

    def change(handler: Any) -> None:
        answer(handler)
        bucket.music, bucket.etag = OTHER, etag and etag.replace("1", "2")

    host.answer = change
    fetch(bucket.url, tmp_path / "take.mp3")
    assert (tmp_path / "take.mp3").read_bytes() == OTHER


def test_a_file_that_shrinks_between_attempts_is_fetched_anew(host: Any, tmp_path: Path) -> None:
    bucket = Bucket(host, etag=None)
    bucket.cut = [40_000]
    answer = bucket.answer

    def change(handler: Any) -> None:
        answer(handler)
        bucket.music = OTHER[:1000]

    host.answer = change
    assert fetch(bucket.url, tmp_path / "take.mp3") == 1000
    assert (tmp_path / "take.mp3").read_bytes() == OTHER[:1000]


def test_a_file_that_never_stops_changing_is_given_up(host: Any, tmp_path: Path) -> None:
    bucket = Bucket(host, etag=None)
    bucket.cut = [20_000] * 20
    answer = bucket.answer

    def change(handler: Any) -> None:
        answer(handler)
        bucket.music = bytes(reversed(bucket.music))

    host.answer = change
    with pytest.raises(DownloadError):
        fetch(bucket.url, tmp_path / "take.mp3")
    assert not (tmp_path / "take.mp3").exists()


@pytest.mark.parametrize(
    ("status", "headers", "why"),
    [
        (404, {}, "answered 404"),
        (403, {}, "may have been deleted"),
        (500, {}, "answered 500"),
        (204, {}, "answered 204"),
        (416, {}, "answered 416"),
        (206, {}, "another part"),
        (206, {"content_range": "bytes 0-9/*"}, "another part"),
        (206, {"content_range": "bytes 50-99/100"}, "another part"),
        (206, {"content_range": "bytes */100"}, "another part"),
        (206, {"content_range": "items 0-9/10"}, "another part"),
        (206, {"content_range": "bytes 0-9/²"}, "another part"),
        (206, {"content_range": "bytes 0-9/" + "9" * 5000}, "another part"),
        (200, {"content_length": "", "connection": "close"}, "does not say how long"),
        (200, {"content_encoding": "gzip"}, "compressed"),
    ],
)
def test_a_host_that_answers_otherwise_leaves_nothing_behind(
    host: Any, tmp_path: Path, status: int, headers: dict[str, str], why: str
) -> None:
    def answer(handler: Any) -> None:
        handler.close_connection = True
        host.send(handler, status, b"0123456789" if status == 200 else b"", **headers)

    host.answer = answer
    with pytest.raises(DownloadError, match=why):
        fetch(f"{host.url}/take.mp3?signature=secret", tmp_path / "take.mp3")
    assert not (tmp_path / "take.mp3").exists()


def test_an_empty_file_is_no_take(host: Any, tmp_path: Path) -> None:
    host.answer = lambda handler: host.send(handler, 200, b"")
    with pytest.raises(DownloadError, match="empty file"):
        fetch(f"{host.url}/take.mp3", tmp_path / "take.mp3")
    assert not (tmp_path / "take.mp3").exists()


def test_a_range_in_the_middle_is_not_pasted_behind_a_hole(host: Any, tmp_path: Path) -> None:
    (tmp_path / "take.mp3.part").write_bytes(MUSIC[:10_000])
    host.answer = lambda handler: host.send(
        handler, 206, MUSIC[20_000:], content_range=f"bytes 20000-{len(MUSIC) - 1}/{len(MUSIC)}"
    )
    with pytest.raises(DownloadError, match="another part"):
        fetch(f"{host.url}/take.mp3", tmp_path / "take.mp3")
    assert not (tmp_path / "take.mp3").exists()


def test_a_range_that_starts_earlier_is_as_good(host: Any, tmp_path: Path) -> None:
    (tmp_path / "take.mp3.part").write_bytes(MUSIC[:30_000])
    host.answer = lambda handler: host.send(
        handler, 206, MUSIC[1000:], content_range=f"bytes 1000-{len(MUSIC) - 1}/{len(MUSIC)}"
    )
    fetch(f"{host.url}/take.mp3", tmp_path / "take.mp3")
    assert (tmp_path / "take.mp3").read_bytes() == MUSIC


def test_a_length_that_is_a_lie_is_found_out(host: Any, tmp_path: Path) -> None:
    def answer(handler: Any) -> None:
        handler.close_connection = True
        host.send(handler, 200, MUSIC, content_length=str(len(MUSIC) + 5))

    host.answer = answer
    with pytest.raises(DownloadError):
        fetch(f"{host.url}/take.mp3", tmp_path / "take.mp3")
    assert not (tmp_path / "take.mp3").exists()
    assert (tmp_path / "take.mp3.part").read_bytes() == MUSIC


def test_a_range_whose_total_is_a_lie_is_found_out(host: Any, tmp_path: Path) -> None:
    (tmp_path / "take.mp3.part").write_bytes(MUSIC[:10_000])
    host.answer = lambda handler: host.send(
        handler, 206, MUSIC[10_000 - 4096 :], content_range=f"bytes {10_000 - 4096}-{len(MUSIC)}/{len(MUSIC) + 1}"
    )
    with pytest.raises(DownloadError, match=r"64,000 bytes instead of 64,001"):
        fetch(f"{host.url}/take.mp3", tmp_path / "take.mp3")
    assert not (tmp_path / "take.mp3").exists()


def chunked(handler: Any, *parts: bytes, end: bool = True) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for part in parts:
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
    if end:
        handler.wfile.write(b"0\r\n\r\n")
    handler.close_connection = True


def test_a_file_without_a_length_ends_where_its_chunks_say(host: Any, tmp_path: Path) -> None:
    host.answer = lambda handler: chunked(handler, MUSIC[:100], MUSIC[100:])
    assert fetch(f"{host.url}/take.mp3", tmp_path / "take.mp3") == len(MUSIC)
    assert (tmp_path / "take.mp3").read_bytes() == MUSIC


def test_chunks_that_break_off_are_no_file(host: Any, tmp_path: Path) -> None:
    host.answer = lambda handler: chunked(handler, MUSIC[:100], end=False)
    with pytest.raises(DownloadError, match="broke off"):
        fetch(f"{host.url}/take.mp3", tmp_path / "take.mp3")
    assert not (tmp_path / "take.mp3").exists()


# What is there already


def test_a_file_that_is_there_is_kept(bucket: Bucket, tmp_path: Path) -> None:
    path = tmp_path / "take.mp3"
    path.write_bytes(MUSIC)
    before = path.stat().st_mtime_ns
    assert fetch(bucket.url, path) == len(MUSIC)
    assert path.stat().st_mtime_ns == before


def test_a_file_of_another_length_is_not_overwritten_unasked(bucket: Bucket, tmp_path: Path) -> None:
    path = tmp_path / "take.mp3"
    path.write_bytes(b"my own")
    with pytest.raises(DownloadError, match=r"there already, with 6 bytes instead of 64,000") as caught:
        fetch(bucket.url, path)
    assert "overwrite=True" in str(caught.value)
    assert path.read_bytes() == b"my own"
    assert fetch(bucket.url, path, overwrite=True) == len(MUSIC)
    assert path.read_bytes() == MUSIC


def test_a_folder_that_cannot_be_made_is_told(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match="cannot be written") as caught:
        fetch(bucket.url, tmp_path / "file" / "take.mp3")
    assert "room" in str(caught.value)


def test_a_part_that_points_elsewhere_is_not_followed(bucket: Bucket, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "take.mp3.part").symlink_to(precious)
    with pytest.raises(DownloadError, match="cannot be written"):
        fetch(bucket.url, tmp_path / "take.mp3")
    assert precious.read_text() == "mine"


# Two at once


@pytest.mark.parametrize("overwrite", [False, True])
def test_two_downloads_to_the_same_place_are_one_after_the_other(host: Any, tmp_path: Path, overwrite: bool) -> None:
    bucket = Bucket(host)
    begun, go_on = threading.Event(), threading.Event()
    answer = bucket.answer

    def slow(handler: Any) -> None:
        begun.set()
        go_on.wait(10)
        answer(handler)

    host.answer = slow
    path = tmp_path / "take.mp3"

    async def both() -> list[int]:
        transport = Transport("http://127.0.0.1:9", None)
        tasks = [asyncio.create_task(fetch_file(transport, bucket.url, path, overwrite=overwrite)) for _ in range(3)]
        await asyncio.to_thread(begun.wait, 10)
        assert sum(task.done() for task in tasks) == 0
        go_on.set()
        sizes = await asyncio.gather(*tasks)
        await transport.aclose()
        return sizes

    assert asyncio.run(both()) == [len(MUSIC)] * 3
    assert path.read_bytes() == MUSIC
    assert list(tmp_path.iterdir()) == [path]


ELSEWHERE = """
import asyncio, pathlib, sys
from finetuning.audio.downloads import fetch_file
from finetuning.transport import Transport

async def fetch():
    transport = Transport("http://127.0.0.1:9", None)
    print(await fetch_file(transport, sys.argv[1], pathlib.Path(sys.argv[2])))
    await transport.aclose()

asyncio.run(fetch())
"""


def test_two_processes_may_want_the_same_file(bucket: Bucket, tmp_path: Path) -> None:
    path = tmp_path / "take.mp3"
    command = [sys.executable, "-W", "error", "-c", ELSEWHERE, bucket.url, str(path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0] for process in processes] == [f"{len(MUSIC)}\n"] * 2
    assert path.read_bytes() == MUSIC
    assert list(tmp_path.iterdir()) == [path]


def test_a_part_that_the_other_has_renamed_meanwhile_is_not_taken_for_one(tmp_path: Path) -> None:
    """What was opened may be the finished file by the time it is free, or be gone."""
    path = tmp_path / "take.mp3"

    async def both() -> bytes:
        async with partial(path) as first:
            waiting = asyncio.create_task(read())
            await asyncio.sleep(0)
            first.write(b"finished")
            first.flush()
            part_of(path).replace(path)
        return await waiting

    async def read() -> bytes:
        async with partial(path) as second:
            return second.read()

    assert asyncio.run(both()) == b""
    assert path.read_bytes() == b"finished"


def test_a_file_system_without_locks_will_do(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert fetch(bucket.url, tmp_path / "take.mp3") == len(MUSIC)


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.mp3",
        "https://user:pass@example.com/a.mp3",
        "ftp://example.com/a.mp3",
        "file:///etc/passwd",
        "/a.mp3",
        "",
    ],
)
def test_an_address_that_is_no_media_address_is_not_followed(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match=r"not followed|broke off"):
        fetch(url, tmp_path / "take.mp3")


@pytest.mark.parametrize("url", ["https://exa\nmple.com/a.mp3", "https://xn--ü/"])
def test_an_address_that_is_none_is_told(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="is not an address"):
        fetch(url, tmp_path / "take.mp3")


def test_the_hosted_service_s_media_is_never_on_this_machine(bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="not followed"):
        fetch(bucket.url, tmp_path / "take.mp3", "https://pub.finetuning.ai")
    assert bucket.host.seen == []


def test_a_redirect_is_followed_without_credentials(make_host: Callable[[], Any], tmp_path: Path) -> None:
    first, bucket = make_host(), Bucket(make_host())
    first.answer = lambda handler: first.send(handler, 302, location=bucket.url, set_cookie="session=1")
    assert fetch(f"{first.url}/take.mp3", tmp_path / "take.mp3") == len(MUSIC)
    for _, _, headers in [*first.seen, *bucket.host.seen]:
        assert {"x-api-key", "authorization"}.isdisjoint(name.lower() for name in headers)


@pytest.mark.parametrize(
    "location", ["http://example.com/a.mp3", "https://u:p@example.com/", "file:///etc/passwd", "http://[::1"]
)
def test_a_redirect_to_an_address_that_is_no_media_address_is_not_followed(
    host: Any, tmp_path: Path, location: str
) -> None:
    host.answer = lambda handler: host.send(handler, 302, location=location)
    with pytest.raises(DownloadError):
        fetch(f"{host.url}/take.mp3", tmp_path / "take.mp3")
    assert list(tmp_path.iterdir()) == []


def test_redirects_in_a_circle_come_to_an_end(host: Any, tmp_path: Path) -> None:
    host.answer = lambda handler: host.send(handler, 302, location=f"{host.url}/take.mp3")
    with pytest.raises(DownloadError, match=r"broke off: Exceeded maximum allowed redirects\.\n"):
        fetch(f"{host.url}/take.mp3", tmp_path / "take.mp3")
    assert len(host.seen) == 6


# In memory


def in_memory(url: str) -> bytes:
    async def fetch() -> bytes:
        transport = Transport("http://127.0.0.1:9", None)
        try:
            return await fetch_bytes(transport, url)
        finally:
            await transport.aclose()

    return asyncio.run(fetch())


def test_a_file_is_fetched_into_memory(bucket: Bucket) -> None:
    assert in_memory(bucket.url) == MUSIC


def test_a_part_in_memory_is_no_file(host: Any) -> None:
    host.answer = lambda handler: host.send(handler, 206, MUSIC[:50], content_range=f"bytes 0-49/{len(MUSIC)}")
    with pytest.raises(DownloadError, match=r"take\.mp3 has 50 bytes instead of 64,000"):
        in_memory(f"{host.url}/take.mp3?signature=secret")


def test_an_interrupted_download_leaves_its_part(host: Any, tmp_path: Path) -> None:
    sent, release = threading.Event(), threading.Event()

    def answer(handler: Any) -> None:
        host.send(handler, 200, MUSIC[:5000], content_length=str(len(MUSIC)))
        handler.wfile.flush()
        sent.set()
        release.wait(10)

    host.answer = answer
    path = tmp_path / "take.mp3"
    arrived = asyncio.Event()

    async def interrupted() -> None:
        transport = Transport("http://127.0.0.1:9", None)
        task = asyncio.create_task(
            fetch_file(transport, f"{host.url}/take.mp3", path, progress=lambda here, total: arrived.set())
        )
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await transport.aclose()

    asyncio.run(interrupted())
    release.set()
    assert sent.is_set()
    assert not path.exists()
    left = (tmp_path / "take.mp3.part").read_bytes()
    assert MUSIC.startswith(left)
    assert left


def test_a_transport_that_is_closed_downloads_nothing(bucket: Bucket, tmp_path: Path) -> None:
    async def closed() -> None:
        transport = Transport("http://127.0.0.1:9", None)
        await transport.aclose()
        with pytest.raises(FinetuningError, match="closed"):
            await fetch_file(transport, bucket.url, tmp_path / "take.mp3")

    asyncio.run(closed())
    assert not (tmp_path / "take.mp3").exists()
    assert bucket.host.seen == []


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/plain", "application/json", "Application/XML"])
def test_a_page_served_as_if_it_were_sound_never_becomes_a_file(host: Any, tmp_path: Path, kind: str) -> None:
    host.answer = lambda handler: host.send(handler, 200, b"<html>sign in</html>", content_type=kind)
    path = tmp_path / "take.mp3"
    with pytest.raises(DownloadError, match="instead of sound"):
        fetch(f"{host.url}/take.mp3", path)
    assert not path.exists()
    host.answer = lambda handler: host.send(handler, 200, MUSIC, content_type="audio/mpeg")
    assert fetch(f"{host.url}/take.mp3", path) == len(MUSIC)
    assert path.read_bytes() == MUSIC
