"""No key, in any form, in anything that is shown, logged or raised."""

from __future__ import annotations

import asyncio
import logging
import pickle
import socket
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from stack_data.core import FrameInfo

import finetuning as ft
from finetuning import errors
from finetuning.keys import ApiKey

SECRET = "0123456789abcdef" * 2
KEY = "ft_live_" + SECRET
# Broken in the ways in which keys are broken: cut, too long, pasted twice, in capitals.
BROKEN = [KEY[:-1], KEY + "0", f"ft_live_{KEY}", KEY.upper(), KEY.replace("0", "O")]


class Hidden:
    """Holds a key so that the test's own frame does not show it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "<hidden>"


def told(error: BaseException) -> str:
    """All that a verbose traceback could say: each frame of ours and of others' with its locals, over the chain."""
    lines: list[str] = []
    pending, seen = [error], set[int]()
    while pending:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        lines += [str(each), repr(each), str(each.args), str(vars(each))]
        summary = traceback.TracebackException(type(each), each, each.__traceback__, capture_locals=True)
        for frame in summary.stack:
            if frame.filename != __file__:  # what the user's own code holds is the user's to show
                lines += [f"{frame.filename}:{frame.lineno}", *(frame.locals or {}).values()]
        # IPython's `%xmode Verbose` also evaluates the attributes that a line speaks of.
        frames: Any = FrameInfo.stack_data(each.__traceback__) if each.__traceback__ else ()
        for frame in frames:
            if getattr(frame, "filename", __file__) != __file__:
                lines += [f"{variable.name} = {variable.value!r}" for variable in frame.variables_in_executing_piece]
        pending += [other for other in (each.__cause__, each.__context__) if other is not None]
    return "\n".join(lines)


def leaks(text: str) -> bool:
    return SECRET[4:16] in text.lower() or SECRET[4:16].replace("0", "o") in text.lower()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    for name in ("", "finetuning", "httpx", "httpcore", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    return lambda: "\n".join(f"{record.name} {record.getMessage()} {record.args}" for record in caplog.records)


def test_nothing_of_the_client_shows_its_key(host: Any) -> None:
    client = ft.Client(KEY, host.url)
    transport = client.asynchronous.transport
    parts = [
        client,
        client.asynchronous,
        transport,
        transport.api_key,
        transport._api,
        transport._api._auth,
        client.progress,
    ]
    for part in parts:
        for shown in (repr(part), str(part), f"{part}", f"{part!r}"):
            assert not leaks(shown)
        values = getattr(part, "__dict__", {}).values()
        assert not any(leaks(repr(value)) for value in values)
    for part in (client, client.asynchronous, transport, transport.api_key):
        with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
            pickle.dumps(part)
    client.close()


def test_records_frames_and_outcomes_hold_no_key(host: Any) -> None:
    host.answer = lambda handler: host.send(handler, 200, b'{"data": {"id": "usr_1", "email": "ada@example.com"}}')
    with ft.Client(KEY, host.url, progress=False) as client:
        account = client.me()
    assert not leaks(f"{account!r} {pickle.dumps(account)!r}")


@pytest.mark.parametrize("broken", range(len(BROKEN)))
@pytest.mark.parametrize(
    "attempt",
    [
        lambda key: ft.connect(api_key=key.text),
        lambda key: ft.connect("hosted", api_key=key.text),
        lambda key: ft.connect("https://example.com", api_key=key.text),
        lambda key: ft.connect(key.text),
        lambda key: ft.Client(key.text),
        lambda key: ft.Client("https://example.com", key.text),
        lambda key: ft.AsyncClient(key.text),
        lambda key: ft.AsyncClient("https://example.com", key.text),
        lambda key: ft.AsyncClient(KEY, key.text),
        lambda key: ft.ApiKey(key.text),
    ],
)
def test_a_key_that_is_refused_is_not_repeated(attempt: Any, broken: int) -> None:
    hidden = Hidden(BROKEN[broken])
    with pytest.raises(errors.SettingsError) as caught:
        attempt(hidden)
    assert not leaks(told(caught.value))


@pytest.mark.parametrize("place", ["FINETUNING_API_KEY", "keychain", "encoded", "credentials"])
def test_a_stored_key_that_is_refused_is_not_repeated(
    place: str, monkeypatch: pytest.MonkeyPatch, keychain: Any, home: Any
) -> None:
    if place == "FINETUNING_API_KEY":
        monkeypatch.setenv(place, KEY + "0")
    elif place == "keychain":
        keychain.set_password("finetuning", "default", KEY + "0")
    elif place == "encoded":
        keychain.set_password("finetuning", "default", f"go-keyring-base64:{KEY}")
    else:
        (home / "config").mkdir()
        (home / "config" / "credentials").write_text(KEY + "0")
        (home / "config" / "credentials").chmod(0o600)
    with pytest.raises(errors.SettingsError) as caught:
        ft.connect()
    assert not leaks(told(caught.value))
    assert {"encoded": "the keychain", "keychain": "the keychain"}.get(place, place) in str(caught.value)


def refuses(handler: Any, host: Any) -> None:
    host.send(handler, 401, b'{"error": {"code": "INVALID_API_KEY", "message": "Unknown key %s"}}' % KEY.encode())


def echoes(handler: Any, host: Any) -> None:
    page = f"<html>You sent {dict(handler.headers.items())}</html>".encode()
    host.send(handler, 200, page, content_type="text/html", x_echo=KEY)


def echoes_badly(handler: Any, host: Any) -> None:
    host.send(handler, 502, f"<html>{dict(handler.headers.items())}</html>".encode(), content_type="text/html")


def redirects(handler: Any, host: Any) -> None:
    host.send(handler, 307, location=f"https://example.com/{KEY}?key={KEY}")


def breaks_off(handler: Any, host: Any) -> None:
    host.send(handler, 200, b"{", content_length="50", connection="close")


def echoes_a_field(handler: Any, host: Any) -> None:
    host.send(handler, 400, b'{"error": {"code": "VALIDATION_ERROR", "message": "no", "details": {"key": 1}}}')


@pytest.mark.parametrize("answer", [refuses, echoes, echoes_badly, redirects, breaks_off, echoes_a_field])
@pytest.mark.parametrize("blocking", [True, False])
def test_no_key_in_what_an_answer_raises_or_logs(
    host: Any, logged: Callable[[], str], answer: Any, blocking: bool
) -> None:
    host.answer = lambda handler: answer(handler, host)
    policy = ft.Policy(retries=0)

    def here() -> None:
        with ft.Client(KEY, host.url, policy=policy, progress=False) as client:
            client.me()

    async def there() -> None:
        async with ft.AsyncClient(KEY, host.url, policy=policy) as client:
            await client.me()

    with pytest.raises(errors.FinetuningError) as caught:
        here() if blocking else asyncio.run(there())
    assert host.seen[0][2]["X-API-Key"] == KEY
    assert not leaks(told(caught.value))
    assert not leaks(logged())


def test_no_key_in_what_silence_raises_or_logs(host: Any, logged: Callable[[], str]) -> None:
    release = threading.Event()
    host.answer = lambda handler: release.wait(10)
    with ft.Client(KEY, host.url, policy=ft.Policy(timeout=0.1, retries=1, backoff=0.01), progress=False) as client:
        with pytest.raises(errors.AnswerLostError) as caught:
            client.me()
        release.set()
    assert not leaks(told(caught.value))
    assert not leaks(logged())
    assert "httpcore" in logged()


def test_no_key_in_what_a_closed_door_raises_or_logs(logged: Callable[[], str]) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        with ft.Client(KEY, url, progress=False) as client, pytest.raises(errors.ConnectError) as caught:
            client.me()
    assert not leaks(told(caught.value))
    assert not leaks(logged())


def test_no_key_in_what_an_impatient_caller_sees(host: Any) -> None:
    release = threading.Event()
    host.answer = lambda handler: release.wait(10)

    async def impatient() -> None:
        async with ft.AsyncClient(KEY, host.url) as client:
            async with asyncio.timeout(0.1):
                await client.me()

    with pytest.raises(TimeoutError) as caught:
        asyncio.run(impatient())
    release.set()
    assert not leaks(told(caught.value))
    assert "httpcore" not in told(caught.value)


def test_no_key_in_what_success_logs(host: Any, logged: Callable[[], str]) -> None:
    host.answer = lambda handler: host.send(handler, 200, b'{"data": {"id": "usr_1"}}')
    with ft.Client(KEY, host.url, progress=False) as client:
        client.me()
        client.health()
    assert not leaks(logged())
    assert "finetuning GET /v1/me -> 200" in logged()


@pytest.mark.parametrize(
    "verb",
    [
        lambda client: client.generate(KEY * 20),
        lambda client: client.generate("lofi", key=KEY),
        lambda client: client.generate("lofi", scale=KEY),
        lambda client: client.generate("lofi", bpm=KEY),
        lambda client: client.generate("lofi", webhook=KEY),
        lambda client: client.generations(status=KEY),
        lambda client: client.generations(limit=KEY),
        lambda client: client.generation(ApiKey(KEY)),
        lambda client: client.wait("x", timeout=KEY),
        lambda client: client.add_tracks("p", {KEY: 1}),
        lambda client: client.download(["x"], ApiKey(KEY)),
    ],
)
def test_a_key_in_the_wrong_place_is_not_repeated(host: Any, verb: Any) -> None:
    with ft.Client(KEY, host.url, progress=False) as client, pytest.raises(errors.FinetuningError) as caught:
        verb(client)
    assert not leaks(f"{caught.value} {caught.value!r} {vars(caught.value)}")
    assert host.seen == []
