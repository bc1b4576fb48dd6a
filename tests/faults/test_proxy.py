"""The proxy does what it says: what the client sees of each fault, and what the service has of it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest

import finetuning as ft

from .books import Books
from .faults import ANSWERED, KINDS, REFUSED, Fault
from .proxy import Proxy

BROKEN = {
    "reset_before": ConnectionResetError,
    "reset_after": ConnectionResetError,
    "lost": http.client.RemoteDisconnected,
    "truncated": http.client.IncompleteRead,
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault(proxy: Proxy, silent: ft.studio.Studio, books: Books, numbers: Iterator[int], kind: str) -> None:
    tags = f"fault {next(numbers)}"
    proxy.plan([Fault("error_500_before", "read"), Fault(kind, "create")])
    seen, status, content = "", 0, b""
    headers: dict[str, str] = {}
    connection = http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=60)
    body = json.dumps({"tags": tags, "seed": 1, "duration": 5})
    try:
        connection.request("POST", "/v1/generations", body, {"X-API-Key": silent.api_key})
        answer = connection.getresponse()
        status, headers, content = answer.status, {name.lower(): value for name, value in answer.getheaders()}, b""
        content = answer.read()
    except (OSError, http.client.HTTPException) as problem:
        seen = type(problem).__name__
    finally:
        connection.close()
    assert seen == (BROKEN[kind].__name__ if kind in BROKEN else "")
    rows = books.rows(tags)
    assert len(rows) == (kind not in REFUSED)
    [exchange] = proxy.log
    assert exchange.creates
    assert (exchange.fault, exchange.delivered) == (kind, kind not in REFUSED)
    assert exchange.status == (202 if rows else None)
    if kind in ANSWERED:
        assert status == 202
        assert json.loads(content)["data"]["id"] == rows[0].id
    elif kind == "invalid_json":
        assert status == 202
        with pytest.raises(json.JSONDecodeError):
            json.loads(content)
    elif kind.startswith("html"):
        assert (status, headers["content-type"]) == (502, "text/html")
    elif kind.startswith("error"):
        assert (status, json.loads(content)["error"]["code"]) == (500, "INTERNAL_ERROR")
    elif kind.startswith("too_many"):
        assert (status, json.loads(content)["error"]["code"]) == (429, "GENERATION_RATE_LIMITED")
        asked = headers.get("retry-after")
        assert (asked is None) == (kind == "too_many_bare")
        assert kind != "too_many_seconds" or int(asked or 0) > 0
        assert kind != "too_many_date" or parsedate_to_datetime(asked or "") > datetime.now(UTC)


def test_one_connection_carries_many_requests_and_each_takes_what_is_meant_for_it(
    proxy: Proxy, silent: ft.studio.Studio
) -> None:
    proxy.plan([Fault("error_500_before", "create"), Fault("html_502_after", "read"), Fault("error_500_after", "any")])
    connection = http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=60)
    statuses = []
    for _ in range(3):
        connection.request("GET", "/v1/me", headers={"X-API-Key": silent.api_key})
        statuses.append((answer := connection.getresponse()).status)
        answer.read()
    connection.close()
    assert statuses == [502, 500, 200]
    assert [each.status for each in proxy.log] == [200, 200, 200]
    assert not any(each.creates for each in proxy.log)


def test_a_request_is_held_until_it_is_let_go(proxy: Proxy, silent: ft.studio.Studio, books: Books) -> None:
    for moment, before in (("arrived", 0), ("answered", 1)):
        tags = f"held when it {moment}"
        proxy.plan([])
        hold = proxy.hold(0, "arrived" if moment == "arrived" else "answered")
        connection = http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=60)
        body = json.dumps({"tags": tags, "seed": 1, "duration": 5})
        connection.request("POST", "/v1/generations", body, {"X-API-Key": silent.api_key})
        assert hold.reached.wait(60)
        assert len(books.rows(tags)) == before
        connection.close()  # nobody waits for the answer any more
        hold.release()
        proxy.settle()
        assert len(books.rows(tags)) == 1
