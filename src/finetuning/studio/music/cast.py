"""Who plays: instruments for each role, from the style and from what the tags ask for and refuse."""

from __future__ import annotations

from dataclasses import dataclass

from .eras import ERAS, Era
from .instruments import CALLS, INSTRUMENTS, ROLES
from .streams import Streams, pick
from .styles import STYLES
from .words import Understanding

__all__ = ["Cast", "choose_cast"]

STANDBY = {
    "bass": ("finger_bass", "synth_bass", "cello"),
    "chords": ("piano", "strings", "organ", "nylon_guitar", "poly_synth"),
    "pad": ("strings", "warm_pad", "organ", "choir"),
    "arp": ("harp", "kalimba", "crystal", "nylon_guitar"),
    "lead": ("vibraphone", "flute", "square", "clarinet"),
}
"""Who steps in when the tags refuse everyone that the style would call."""


@dataclass(frozen=True)
class Cast:
    """The players.

    Attributes
    ----------
    roles : dict
        Instrument by pitched role; a role that nobody plays is missing.
    kit : str or None
        The drum kit; None without drums.
    """

    roles: dict[str, str]
    kit: str | None


def choose_cast(heard: Understanding, streams: Streams) -> Cast:
    """Fill the roles. What is refused is refused, but someone always plays chords.

    What the tags name comes first, then what the era brings, then the style's own.
    """
    style = STYLES[heard.style]
    era = ERAS[heard.era] if heard.era else Era()
    barred = {name for word in heard.refused for name in CALLS.get(word, ())}
    if "voice" in heard.refused and "choir" not in heard.wanted:
        barred |= {*CALLS["choir"]}  # a choir is voices, too, be they a synthesiser's
    given: dict[str, str] = {}
    for word in heard.wanted:
        names = [name for name in CALLS.get(word, ()) if name not in barred]
        if not names:
            continue
        at_home = [name for name in names if any(name in style.sounds(role) for role in ROLES)]
        name = at_home[0] if at_home else names[0]
        free = [role for role in INSTRUMENTS[name].roles if role not in given and role not in heard.refused]
        if free:
            given[free[0]] = name

    if heard.alone and given:
        name = next(iter(given.values()))
        if "chords" in INSTRUMENTS[name].roles:
            return Cast(
                {role: name for role in ("bass", "chords", "lead") if role not in heard.refused or role == "chords"},
                None,
            )

    roles: dict[str, str] = {}
    for role in ROLES:
        if role in given:
            roles[role] = given[role]
        elif _called(role, heard):
            brought = (era.roles[role],) if role in era.roles else style.sounds(role)
            names = [n for n in brought if n not in barred] or [n for n in STANDBY[role] if n not in barred]
            taken = {*given.values(), *roles.values()}
            fresh = [n for n in names if n not in taken] or names
            if fresh:
                roles[role] = pick(streams.of("cast", role), fresh)
    if not {"chords", "pad", "arp"} & roles.keys():
        roles["chords"] = pick(streams.of("cast", "chords"), style.chords)
    drums = "drums" not in heard.refused and not heard.alone and (era.drums or "drums" in heard.wanted)
    return Cast(roles, (era.kit or pick(streams.of("cast", "kit"), style.kits)) if drums else None)


def _called(role: str, heard: Understanding) -> bool:
    """Whether a role is filled when nobody is asked for by name.

    Always the three that carry and what the style is known by, the others by density.
    """
    if role in heard.refused:
        return False
    if role in heard.wanted or role in ("bass", "chords", "lead"):
        return True
    if not STYLES[heard.style].sounds(role):
        return False
    return heard.density >= (0.3 if role == "pad" else 0.42) or role in STYLES[heard.style].steady
