"""The media host: real sound, ranges, conditions, and no keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from finetuning.errors import StudioError
from finetuning.studio import Studio


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Studio, dict[str, Any]]]:
    """A studio that has rendered one piece, and the piece."""
    with (
        Studio(tmp_path_factory.mktemp("media"), workers=1) as studio,
        httpx.Client(base_url=studio.url, headers={"X-API-Key": studio.api_key}) as api,
    ):
        body = {"tags": "piano", "duration": 5, "bpm": 90, "key": "D", "scale": "minor", "seed": 3}
        identity = api.post("/v1/generations", json=body).json()["data"]["id"]
        studio.wait_idle(60)
        yield studio, api.get(f"/v1/generations/{identity}").json()["data"]


@pytest.fixture(scope="module")
def url(rendered: tuple[Studio, dict[str, Any]]) -> str:
    return str(rendered[1]["audioUrl"])


@pytest.fixture(scope="module")
def whole(url: str) -> bytes:
    return httpx.get(url).content


def test_a_piece_is_made(rendered: tuple[Studio, dict[str, Any]], whole: bytes) -> None:
    studio, piece = rendered
    assert piece["status"] == "completed"
    assert piece["audioUrl"] == f"{studio.media_url}/media/{piece['id']}.mp3"
    assert piece["duration"] == 5
    assert isinstance(piece["duration"], int)
    assert piece["fileSize"] == len(whole) > 20_000
    assert 0 < piece["generationTime"] < 60
    assert piece["completedAt"].endswith("Z")
    assert piece["errorMessage"] is None
    assert whole[:3] == b"ID3" or whole[0] == 0xFF, "it is an MP3"
    assert studio.media_url != studio.url


def test_the_score_and_what_was_understood(rendered: tuple[Studio, dict[str, Any]]) -> None:
    studio, piece = rendered
    assert studio.midi(piece["id"])[:4] == b"MThd"
    assert studio.understood(piece["id"])
    with pytest.raises(StudioError, match="no piece with the id 'nope'"):
        studio.midi("nope")
    with pytest.raises(StudioError, match="no score"):
        studio.understood(studio.house.tracks[0])
    assert studio.midi(SimpleNamespace(id=piece["id"])) == studio.midi([piece["id"]])
    with pytest.raises(StudioError, match="2 were given"):
        studio.midi([piece["id"], piece["id"]])


def test_the_whole_file(url: str, whole: bytes) -> None:
    answer = httpx.get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == str(len(whole))
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-disposition"].startswith("inline; filename=")
    assert answer.headers["etag"].strip('"')
    head = httpx.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole))
    assert head.headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=100-199", slice(100, 200)),
        ("bytes=1000-", slice(1000, None)),
        ("bytes=-500", slice(-500, None)),
        ("bytes=-99999999", slice(0, None)),
        ("bytes=10-99999999", slice(10, None)),
    ],
)
def test_ranges(url: str, whole: bytes, wanted: str, part: slice) -> None:
    answer = httpx.get(url, headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == whole[part]
    first = part.indices(len(whole))[0]
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(answer.content) - 1}/{len(whole)}"
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("wanted", ["bytes=99999999-", "bytes=-0"])
def test_ranges_outside_the_file(url: str, whole: bytes, wanted: str) -> None:
    answer = httpx.get(url, headers={"Range": wanted})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize("wanted", ["", "bytes=", "bytes=a-b", "bytes=9-3", "seconds=0-1", "bytes=0-1,5-6", "bytes=-"])
def test_ranges_that_are_not_understood_are_ignored(url: str, whole: bytes, wanted: str) -> None:
    answer = httpx.get(url, headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (200, whole)


def test_conditions(url: str, whole: bytes) -> None:
    etag = httpx.head(url).headers["etag"]
    for known in (etag, "*", f'"other", {etag}', f"W/{etag}"):
        answer = httpx.get(url, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert httpx.get(url, headers={"If-None-Match": '"other"'}).status_code == 200
    ranged = {"Range": "bytes=0-9"}
    assert httpx.get(url, headers={**ranged, "If-Range": etag}).status_code == 206
    answer = httpx.get(url, headers={**ranged, "If-Range": '"other"'})
    assert (answer.status_code, answer.content) == (200, whole), "a file that changed is not continued"


@pytest.mark.parametrize("header", ["X-API-Key", "Authorization"])
def test_a_request_with_a_key_is_refused(rendered: tuple[Studio, dict[str, Any]], url: str, header: str) -> None:
    answer = httpx.get(url, headers={header: rendered[0].api_key})
    assert answer.status_code == 400
    assert "a key must never be sent" in answer.text
    assert rendered[0].api_key not in answer.text


def test_other_methods_and_paths(rendered: tuple[Studio, dict[str, Any]], url: str) -> None:
    answer = httpx.post(url)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    preflight = httpx.options(url, headers={"Origin": "http://localhost:8888"})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == "Range"
    base = rendered[0].media_url
    for path in ("/", "/media/", f"/media/{'0' * 36}.mp3", "/media/../studio.sqlite3", "/media/%2e%2e/studio.sqlite3"):
        assert httpx.get(base + path).status_code == 404
    assert httpx.get(f"{rendered[0].url}/media/x.mp3").status_code == 404


def test_plays_and_downloads_are_counted(rendered: tuple[Studio, dict[str, Any]], url: str) -> None:
    studio, piece = rendered

    def counts() -> tuple[int, int]:
        answer = httpx.get(f"{studio.url}/v1/generations/{piece['id']}", headers={"X-API-Key": studio.api_key})
        data = answer.json()["data"]
        return data["playCount"], data["downloadCount"]

    plays, downloads = counts()
    httpx.get(url)
    httpx.get(url, headers={"Range": "bytes=0-"})
    httpx.get(url, headers={"Range": "bytes=500-"})
    httpx.head(url)
    assert counts() == (plays + 1, downloads + 1)


def test_what_is_not_completed_has_no_file(studio: Studio, make: Callable[..., str]) -> None:
    assert httpx.get(f"{studio.media_url}/media/{make()}.mp3").status_code == 404


def test_the_house_is_rendered_when_somebody_listens(
    rendered: tuple[Studio, dict[str, Any]], listen: Callable[[str], httpx.Response]
) -> None:
    studio, _ = rendered
    track = studio.house.tracks[-1]
    answer = listen(f"{studio.media_url}/media/{track}.mp3")
    assert answer.status_code == 200
    assert len(answer.content) > 100_000
    playlist = httpx.get(f"{studio.url}/v1/playlists/{studio.house.playlist}", headers={"X-API-Key": studio.api_key})
    shown = playlist.json()["data"]["tracks"][-1]
    assert (shown["title"], shown["status"], shown["duration"]) == ("Night Train", "completed", 30)


def test_a_studio_without_workers_says_so(studio: Studio) -> None:
    answer = httpx.get(f"{studio.media_url}/media/{studio.house.tracks[0]}.mp3")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_a_file_that_was_lost(rendered: tuple[Studio, dict[str, Any]]) -> None:
    studio, _ = rendered
    with httpx.Client(base_url=studio.url, headers={"X-API-Key": studio.api_key}) as api:
        identity = api.post("/v1/generations", json={"tags": "flute", "duration": 5}).json()["data"]["id"]
        studio.wait_idle(60)
        url = api.get(f"/v1/generations/{identity}").json()["data"]["audioUrl"]
        path = studio.data_dir / "media" / f"{identity}.mp3"
        assert path.exists()
        path.unlink()
        assert httpx.get(url).status_code == 404
        api.post("/v1/generations/bulk-delete", json={"ids": [identity]})
        assert httpx.get(url).status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_another_host_is_refused(url: str, method: str) -> None:
    answer = httpx.request(method, url, headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/json"
    if method != "HEAD":
        assert answer.json()["error"]["code"] == "MISDIRECTED_REQUEST"
    assert httpx.get(url, headers={"Host": "localhost:9"}).status_code == 200
