"""A small service with takes of known sound, over real HTTP; and the empty page that widgets are tried in."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "ft_live_" + "ab3f" * 8
PAGE = b"""<!doctype html><meta charset=utf-8><title>deck</title><body style="margin:16px;background:#fff"></body>"""


class Shop:
    """Serves `/v1/me`, the library, its sound, and `/page`."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.sounds: dict[str, Callable[[], bytes]] = {}
        self.fetched: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                shop._answer(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Shop:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()

    def stock(self, id_: str, sound: bytes | Callable[[], bytes] | None = None, **more: Any) -> str:
        """Put a take on the shelf; completed where it has sound."""
        names = {"bpm": "bpm", "keyscale": "keyscale", "seed": "seed", "meter": "timesignature", "asked": "duration"}
        parameters = {wire: more.pop(name) for name, wire in names.items() if name in more}
        self.rows[id_] = {
            "id": id_,
            "title": more.pop("title", f"Take {id_}"),
            "prompt": "clicks",
            "status": "pending" if sound is None else "completed",
            "audioUrl": None if sound is None else f"{self.url}/media/{id_}.mp3",
            "parameters": parameters,
            "createdAt": "2025-01-15 10:30:00",
            **more,
        }
        if sound is not None:
            self.sounds[id_] = sound if callable(sound) else lambda: sound
        return id_

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        name = parts.path.rpartition("/")[2].removesuffix(".mp3")
        if parts.path == "/page":
            self._send(handler, 200, PAGE, "text/html")
        elif parts.path.startswith("/media/"):
            self.fetched.append(name)
            self.gate.wait(600)
            self._send(handler, 200, self.sounds[name](), "audio/mpeg")
        elif parts.path == "/v1/me":
            self._say(handler, {"id": "usr_1", "tier": "pro", "limits": {"totalRemaining": 100}})
        elif parts.path == "/v1/generations":
            query = parse_qs(parts.query)
            start, limit = (int(query.get(word, ["0"])[0]) for word in ("offset", "limit"))
            rows = list(self.rows.values())
            page = rows[start : start + (limit or 20)]
            after = start + len(page) if start + len(page) < len(rows) else None
            self._say(handler, {"generations": page, "hasMore": after is not None, "nextOffset": after})
        elif name in self.rows:
            self._say(handler, self.rows[name])
        else:
            self._send(handler, 404, json.dumps({"error": {"code": "NOT_FOUND", "message": "no such"}}).encode())

    def _say(self, handler: BaseHTTPRequestHandler, data: Any) -> None:
        self._send(handler, 200, json.dumps({"data": data}).encode())

    def _send(self, handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/json") -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
