"""Decks over a service of known takes, without a page."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from finetuning.panels.deck.judges import recorder

HOSTILE = '<img src=x onerror="alert(1)"> & \'"</td></table><script>alert(2)</script>\u202e'


def page_says(deck: Any, content: Any) -> None:
    """What ipywidgets does when a custom message comes in."""
    deck.comm.handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def settled(act: Callable[[], object] = lambda: None) -> None:
    """Wait until all that was to be recorded is."""
    recorder().submit(act).result(20)


class Cells(HTMLParser):
    """Tags, links and texts of a table."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_data(self, data: str) -> None:
        if self.tags[-1] != "style":
            self.texts.append(data)
