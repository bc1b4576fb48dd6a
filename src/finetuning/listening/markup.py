"""The page itself: one file of HTML with its style and its script, whatever the titles hold."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from finetuning.redaction import redact

from .gathering import Entry
from .waveform import HEIGHT, WIDTH

__all__ = ["HIDDEN", "render"]

_STATIC: Final = Path(__file__).parent / "static"
#: Columns that say where things are on this machine or at the service; they are on no page.
HIDDEN: Final = frozenset({"audio_url", "webhook", "path"})
#: Addresses of this machine, in whatever text.
_LOOPBACK: Final = re.compile(r"https?://(localhost|127\.[\d.]+|\[::1\]|0\.0\.0\.0)(:\d+)?\S*", re.IGNORECASE)
_NOTES: Final = ("note", "notes")
_STARS: Final = 5


def render(entries: Sequence[Entry], *, title: str | None, description: str | None, columns: list[str] | None) -> str:
    """Return the page's HTML.

    Its policy lets in no script and no style but its own, and no request but for the sounds beside it.
    """
    style, script = ((_STATIC / name).read_text("utf-8") for name in ("page.css", "page.js"))
    policy = (
        f"script-src {_hash(script)}; style-src {_hash(style)}; connect-src 'none'; font-src 'none'; img-src 'none'; "
        "frame-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'"
    )
    sounding = [entry for entry in entries if entry.reason is None]
    missing = [entry for entry in entries if entry.reason is not None]
    total = sum(float(entry.values.get("duration") or 0) for entry in sounding)
    count = f"{len(sounding):,} track{'' if len(sounding) == 1 else 's'}"
    head = _text(title or "Listening page")
    told = "".join(f"<p>{_text(line)}</p>" for line in (description or "").splitlines() if line.strip())
    tracks = "".join(_track(place, entry, columns) for place, entry in enumerate(sounding, 1))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{head}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<header>\n<h1><bdi>{head}</bdi></h1>\n{told}\n<p class="total">{count} · {_time(total)}</p>\n'
        '<p class="keys">Space plays and pauses · ← → five seconds · ↑ ↓ another track</p>\n</header>\n'
        f'<main>\n<ol class="tracks">\n{tracks}</ol>\n{_missing(missing)}</main>\n'
        f'<div class="said" role="status" aria-live="polite"></div>\n<script>{script}</script>\n</body>\n</html>\n'
    )


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _text(value: Any) -> str:
    """Escape a value: no markup, no key, no address of this machine, nothing that is not text."""
    text = str(value).encode("utf-8", "replace").decode()
    text = "".join(character for character in text if character >= " " or character in "\t\n")
    return html.escape(_LOOPBACK.sub("…", redact(text)))


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _track(place: int, entry: Entry, columns: list[str] | None) -> str:
    duration = float(entry.values.get("duration") or 0)
    name, file = _text(entry.title), html.escape(entry.file)
    facts = "".join(f"<li>{fact}</li>" for fact in _facts(entry.values, columns))
    prompt = entry.values.get("prompt")
    below = f'<p class="prompt"><bdi>{_text(prompt)}</bdi></p>' if prompt and prompt != entry.title else ""
    below += _rating(entry.values.get("rating"))
    below += "".join(
        f'<p class="note"><bdi>{_text(entry.values[column])}</bdi></p>' for column in _NOTES if entry.values.get(column)
    )
    picture = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f'<g class="all"><path id="w{place}" d="{entry.picture}"/></g><use href="#w{place}" class="heard"/></svg>'
    )
    return (
        f'<li class="track" data-duration="{duration:.3f}">\n'
        f'<button class="play" type="button" aria-label="Play {name}" aria-pressed="false">'
        '<svg viewBox="0 0 24 24" aria-hidden="true"><path class="go" d="M7 4l14 8-14 8z"/>'
        '<path class="halt" d="M6 4h4v16H6zM14 4h4v16h-4z"/></svg></button>\n'
        f'<div class="words"><h2><bdi>{name}</bdi></h2><ul class="facts">{facts}</ul>{below}</div>\n'
        f'<a class="download" href="{file}" download aria-label="Download {name}">Download</a>\n'
        f'<div class="wave{"" if entry.picture else " plain"}">{picture}<input class="seek" type="range" min="0" '
        f'max="{duration:.1f}" step="0.1" value="0" aria-label="Position in {name}" '
        f'aria-valuetext="0:00 of {_time(duration)}"></div>\n'
        f'<p class="time"><span class="now">0:00</span> / {_time(duration)}</p>\n'
        f'<audio preload="none" controls src="{file}" aria-label="{name}"></audio>\n</li>\n'
    )


def _facts(values: dict[str, Any], columns: list[str] | None) -> list[str]:
    if columns is not None:
        return [
            f"<span>{_text(column.replace('_', ' '))}</span> <bdi>{_text(_number(values[column]))}</bdi>"
            for column in columns
            if column in values
        ]
    key = " ".join(str(values[name]) for name in ("key", "scale") if name in values)
    beats = values.get("time_signature")
    facts = [
        f"{_number(values['bpm'])} BPM" if "bpm" in values else "",
        key,
        f"{_number(beats)}/4" if beats and beats != 4 else "",
        f"seed {values['seed']}" if "seed" in values else "",
    ]
    return [_text(fact) for fact in facts if fact]


def _number(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value


def _rating(value: Any) -> str:
    try:
        stars = round(float(value))
    except (TypeError, ValueError, OverflowError):
        return ""
    if not 0 < stars <= _STARS:
        return ""
    drawn = "★" * stars + "☆" * (_STARS - stars)
    return f'<p class="rating" role="img" aria-label="Rated {stars} of {_STARS}">{drawn}</p>'


def _missing(entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    rows = "".join(f"<li><bdi>{_text(entry.title)}</bdi>: {_text(entry.reason)}</li>\n" for entry in entries)
    return f'<section class="missing">\n<h2>Without sound</h2>\n<ul>\n{rows}</ul>\n</section>\n'
