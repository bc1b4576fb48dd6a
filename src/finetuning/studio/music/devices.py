"""Devices of arrangement, which make a song of parts that merely play on: two a piece, where it has the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from .drums import DRUMS
from .form import Form, Section
from .harmony import Span
from .instruments import UP, Instrument
from .metre import GROUPS, group_starts
from .parts import Note
from .streams import Streams, pick

__all__ = ["DEVICES", "Arrangement", "Scene", "arrange"]

Written = dict[str, tuple[Note, ...]]
Swell = tuple[float, float]

SILENCE = 1.2
"""Seconds without a note that no device may bring about."""


SETTLED = 5
"""Bars of a piece below which the beat does not stop: it has to have gone on for a while for its metre to be known."""


@dataclass(frozen=True)
class Scene:
    """What a device has to go by: the form, its chords, the instruments by role, and whether words are sung."""

    form: Form
    spans: tuple[Span, ...]
    sounds: Mapping[str, Instrument]
    sung: bool

    def seam(self, stream: np.random.Generator) -> float:
        """Choose a beat that something may lead up to: where a chorus begins, else a section, else a phrase."""
        form = self.form
        later = [s for s in form.sections[1:] if s.kind in ("chorus", "verse")]
        best = [s for s in later if s.kind == "chorus"] or later
        if best:
            return float(pick(stream, best).first * form.metre)
        ends = [b * form.metre for b in range(form.phrase_bars, form.bars, form.phrase_bars)]
        return float(pick(stream, ends)) if ends else form.close

    def bars_before(self, beat: float, seconds: float) -> float:
        """Find the beat whole bars before another, as many as are nearest to so many seconds, but one at least."""
        bar = self.form.metre * self.form.beat
        return max(0.0, beat - self.form.metre * max(1, round(seconds / bar)))


@dataclass(frozen=True)
class Arrangement:
    """Parts with the devices at work, their names in the order of the stream, and swells in beats."""

    written: Written
    names: tuple[str, ...]
    swells: tuple[Swell, ...]


Device = Callable[[Written, Scene, np.random.Generator], tuple[Written, Swell | None] | None]


def _without(notes: tuple[Note, ...], start: float, end: float) -> tuple[Note, ...]:
    """Take out what begins within a stretch, and end what rings into it."""
    return tuple(
        replace(n, length=min(n.length, start - n.start)) if n.start < start else n
        for n in notes
        if not start <= n.start < end
    )


def drop_out(written: Written, scene: Scene, stream: np.random.Generator) -> tuple[Written, None] | None:
    """Let drums, bass and broken chords fall silent in the last bar before a seam."""
    seam = scene.seam(stream)
    start = max(scene.bars_before(seam, 1.5), seam - 4.0)
    gone = [role for role in ("drums", "bass", "arp") if role in written]
    if not gone or start <= 0 or seam >= scene.form.close or scene.form.bars < SETTLED:
        return None
    return written | {role: _without(written[role], start, seam) for role in gone}, None


def build(written: Written, scene: Scene, stream: np.random.Generator) -> tuple[Written, None] | None:
    """Roll the snare up to a seam, ever louder and faster."""
    seam = scene.seam(stream)
    if "drums" not in written or seam >= scene.form.close:
        return None
    start = scene.bars_before(seam, 2.5)
    length = seam - start
    # a place every half beat, then every quarter, then every eighth of one, as far as hands go
    places = np.concatenate(
        [
            np.arange(start, start + length / 2, 0.5),
            np.arange(start + length / 2, start + length * 0.75, 0.25),
            np.arange(start + length * 0.75, seam - 1e-6, 0.125 if scene.form.beat > 0.6 else 0.25),
        ]
    )
    roll = tuple(Note(p, 0.1, DRUMS["snare"], 0.35 + 0.55 * (p - start) / length) for p in places.tolist())
    loud = {DRUMS[v] for v in ("snare", "clap", "rim", "low_tom", "mid_tom", "high_tom", "concert", "timbale")}
    kept = tuple(n for n in written["drums"] if n.pitch not in loud or not start <= n.start < seam)
    return written | {"drums": (*kept, *roll)}, None


def swell(written: Written, scene: Scene, stream: np.random.Generator) -> tuple[Written, Swell] | None:
    """Draw the band back and let it grow into a seam."""
    seam = scene.seam(stream)
    start = scene.bars_before(seam, 4.0)
    return (written, (start, seam)) if scene.form.bars > 1 and set(written) - {"drums"} else None


def stop_time(written: Written, scene: Scene, stream: np.random.Generator) -> tuple[Written, None] | None:
    """Let the band strike only where the groups of a bar begin, at the end of a phrase, under the melody."""
    seam = scene.seam(stream)
    form = scene.form
    start = scene.bars_before(seam, 3.5)
    if "lead" not in written or "chords" not in written or seam > form.close or start <= 0 or form.bars < SETTLED:
        return None

    def hits(notes: tuple[Note, ...]) -> tuple[Note, ...]:
        kept = []
        for n in notes:
            if not start <= n.start < seam:
                kept.append(replace(n, length=min(n.length, max(start - n.start, 0.05))) if n.start < start else n)
            elif any(-0.01 < n.start % form.metre - group < 0.2 for group in group_starts(form.metre)):
                kept.append(replace(n, length=min(n.length, 0.5)))
        return tuple(kept)

    return written | {role: hits(written[role]) for role in written if role != "lead"}, None


def break_down(written: Written, scene: Scene, stream: np.random.Generator) -> tuple[Written, None] | None:
    """Leave chords and melody alone for a phrase: in the break, else in the middle of a long section."""
    form = scene.form
    gone = [role for role in ("drums", "bass") if role in written]
    breaks = [s for s in form.sections if s.kind == "break"]
    long = [s for s in form.sections if s.bars >= 2 * form.phrase_bars and s.kind in ("verse", "chorus")]
    if not gone or not {"chords", "pad", "arp"} & written.keys() or not (breaks or long) or form.bars < SETTLED + 3:
        return None
    section = pick(stream, breaks or long)
    first = section.first + (0 if breaks else form.phrase_bars)
    start, end = float(first * form.metre), float((first + form.phrase_bars) * form.metre)
    return written | {role: _without(written[role], start, end) for role in gone}, None


def answer(written: Written, scene: Scene, stream: np.random.Generator) -> tuple[Written, None] | None:
    """Call and response: another instrument takes the second half of what the melody says in a kind of section."""
    lead, sound = written.get("lead"), scene.sounds.get("arp")
    if not lead or sound is None or "lead" not in sound.roles or scene.sung:
        return None
    kind = pick(stream, ("verse", "chorus"))
    sections = scene.form.sections
    places = [(s.start, s.end) for s in scene.spans[:-1] if sections[s.section].kind == kind and s.place in (1, 3)]
    moved = [n for n in lead if any(a <= n.start < b for a, b in places)]
    if len(moved) < 2:
        return None
    low, high = sound.register(sound.low, sound.high)
    octave = 12 * round(((low + high) / 2 - sum(n.pitch for n in moved) / len(moved)) / 12)
    if not all(low <= n.pitch + octave <= high for n in moved):
        return None
    arp = written.get("arp", ())
    for a, b in places:
        arp = _without(arp, a, b)
    said = tuple(replace(n, pitch=n.pitch + octave) for n in moved)
    return written | {"lead": tuple(n for n in lead if n not in set(moved)), "arp": (*arp, *said)}, None


def lift(written: Written, scene: Scene, stream: np.random.Generator) -> tuple[Written, None] | None:
    """Raise the last chorus by an octave, key and all: the melody, or what has room above it."""
    choruses = [s for s in scene.form.sections if s.kind == "chorus"]
    if not choruses or len(scene.form.sections) < 2:
        return None
    start, end = _beats(choruses[-1], scene.form)
    for role in ("lead", "arp", "pad"):
        inside = [n for n in written.get(role, ()) if start <= n.start < end]
        rest = [n.pitch for n in written.get(role, ()) if not start <= n.start < end]
        if not inside or max(n.pitch for n in inside) + 12 > min(scene.sounds[role].top - UP, 92):
            continue
        # a melody stays within what one voice can sing
        if role != "lead" or max(n.pitch for n in inside) + 12 - min(rest, default=127) <= 24:
            raised = tuple(replace(n, pitch=n.pitch + 12) if start <= n.start < end else n for n in written[role])
            return written | {role: raised}, None
    return None


def echo(written: Written, scene: Scene, stream: np.random.Generator) -> tuple[Written, None] | None:
    """Play the end of a phrase softly, as if from afar."""
    seam = scene.seam(stream)
    size = GROUPS[scene.form.metre][0] if scene.form.bars < 2 else scene.form.metre
    start = max(seam - 2 * size, 0.0)
    return {
        role: tuple(replace(n, force=n.force * (0.55 if start <= n.start < seam else 1.0)) for n in notes)
        for role, notes in written.items()
    }, None


def _beats(section: Section, form: Form) -> Swell:
    return float(section.first * form.metre), float((section.first + section.bars) * form.metre)


DEVICES: dict[str, Device] = {
    "drop-out": drop_out,
    "build": build,
    "swell": swell,
    "stop-time": stop_time,
    "breakdown": break_down,
    "call and response": answer,
    "lift": lift,
    "echo": echo,
}
"""By the names that ``understood`` tells."""


def _gap(written: Written) -> float:
    """Find the longest time without a note, in beats."""
    longest, sounding = 0.0, 0.0
    for start, end in sorted((n.start, n.start + n.length) for notes in written.values() for n in notes):
        longest, sounding = max(longest, start - sounding), max(sounding, end)
    return longest


def arrange(
    written: Written, scene: Scene, favourites: tuple[str, ...], streams: Streams, count: int = 2
) -> Arrangement:
    """Put devices to work, in an order of the piece's own.

    A style's favourites come three times as often. A device that has no place in the piece, or would leave it
    silent, gives way to the next.
    """
    stream = streams.of("devices")
    waiting = list(DEVICES)
    names: list[str] = []
    swells: list[Swell] = []
    limit = max(SILENCE / scene.form.beat, _gap(written))
    while waiting and len(names) < count and scene.form.bars > 1:
        name = pick(stream, waiting, [3.0 if name in favourites else 1.0 for name in waiting])
        waiting.remove(name)
        done = DEVICES[name](written, scene, streams.of("devices", name))
        if done is None or _gap(done[0]) > limit:
            continue
        written = done[0]
        names.append(name)
        if done[1] is not None:
            swells.append(done[1])
    return Arrangement(written, tuple(names), tuple(swells))
