"""The band: General MIDI programs with the registers in which they sound well, and the words that call for them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CALLS", "INSTRUMENTS", "KITS", "ROLES", "Instrument"]

ROLES = ("bass", "chords", "pad", "arp", "lead")
"""Pitched roles, from the ground up. Drums stand apart."""


@dataclass(frozen=True)
class Instrument:
    """A sound.

    Attributes
    ----------
    program : int
        General MIDI program, from 0.
    low, high : int
        MIDI pitches between which it carries a melody well.
    roles : tuple of str
        What it can do, the most natural first.
    holds : bool
        Whether a note lasts as long as it is held (organ) or dies away (piano).
    """

    program: int
    low: int
    high: int
    roles: tuple[str, ...]
    holds: bool


def _registry() -> dict[str, Instrument]:
    """Name, program, range, roles by initial (b c p a l), and ``~`` for a sound that holds."""
    rows = """
    piano 0 60 84 cla | bright_piano 1 60 84 cla | rhodes 4 60 82 cla | dx_piano 5 60 82 cla | harpsichord 6 60 82 acl
    clavinet 7 55 76 cl | celesta 8 67 91 al | glockenspiel 9 72 94 al | music_box 10 69 91 al | vibraphone 11 60 84 lac
    marimba 12 57 81 alc | xylophone 13 67 89 la | bells 14 64 84 al | dulcimer 15 57 79 al | organ 16 57 79 cpl~
    rock_organ 18 57 79 cpl~ | church_organ 19 55 79 pcl~ | accordion 21 58 79 lcp~ | harmonica 22 62 82 l~
    nylon_guitar 24 55 77 cal | steel_guitar 25 55 77 cal | jazz_guitar 26 55 77 lca | clean_guitar 27 55 77 cal
    muted_guitar 28 52 72 ac | overdrive 29 55 79 lc~ | distortion 30 52 76 lc~ | upright_bass 32 43 60 b
    finger_bass 33 40 60 b | picked_bass 34 40 60 b | fretless_bass 35 40 60 b | slap_bass 36 40 60 b
    synth_bass 38 36 60 b~ | deep_bass 39 36 60 b~ | violin 40 62 86 lp~ | viola 41 55 77 lp~ | cello 42 48 69 lpb~
    contrabass 43 36 55 b~ | tremolo 44 55 79 p~ | pizzicato 45 57 81 ac | harp 46 57 84 acl | strings 48 57 82 pcl~
    slow_strings 49 57 82 pl~ | synth_strings 50 57 82 pcl~ | choir 52 57 77 pl~ | oohs 53 60 79 lp~ | synth_voice 54 60 79 pl~
    trumpet 56 60 80 l~ | trombone 57 48 69 l~ | tuba 58 34 53 b~ | mute_trumpet 59 60 80 l~ | horns 60 53 74 lp~
    brass 61 57 77 cl~ | synth_brass 62 57 79 cpl~ | soprano_sax 64 62 82 l~ | alto_sax 65 58 78 l~ | tenor_sax 66 52 73 l~
    oboe 68 62 82 l~ | bassoon 70 44 65 lb~ | clarinet 71 57 79 l~ | piccolo 72 74 94 l~ | flute 73 65 88 l~
    recorder 74 67 88 l~ | pan_flute 75 65 86 l~ | shakuhachi 77 62 82 l~ | whistle 78 72 93 l~ | ocarina 79 67 86 l~
    square 80 60 84 lac~ | saw 81 60 84 lac~ | calliope 82 62 84 l~ | solo_vox 85 60 79 lp~ | fifths 86 55 76 l~
    fantasia 88 57 79 pa~ | warm_pad 89 55 77 p~ | poly_synth 90 57 81 cpal~ | space_voice 91 57 79 p~ | halo 94 57 79 p~
    sweep 95 57 79 p~ | crystal 98 62 86 al | atmosphere 99 57 81 acp | sitar 104 55 74 l | banjo 105 57 79 acl
    shamisen 106 57 77 l | koto 107 57 81 alc | kalimba 108 60 84 alc | bagpipe 109 60 76 l~ | fiddle 110 62 84 l~
    steel_drum 114 62 82 lac
    """
    initials = {role[0]: role for role in ROLES}
    found = {}
    for row in rows.replace("\n", "|").split("|"):
        if row.strip():
            name, program, low, high, roles = row.split()
            found[name] = Instrument(int(program), int(low), int(high), tuple(initials[r] for r in roles.rstrip("~")), roles.endswith("~"))
    return found


INSTRUMENTS: dict[str, Instrument] = _registry()

KITS: dict[str, int] = {"standard": 0, "room": 8, "power": 16, "electronic": 24, "808": 25, "jazz": 32, "brush": 40, "orchestra": 48}

CALLS: dict[str, tuple[str, ...]] = {
    "piano": ("piano", "bright_piano"),
    "keys": ("rhodes", "piano", "dx_piano", "bright_piano"),
    "rhodes": ("rhodes", "dx_piano"),
    "wurlitzer": ("rhodes",),
    "harpsichord": ("harpsichord",),
    "clavinet": ("clavinet",),
    "celesta": ("celesta",),
    "bells": ("bells", "glockenspiel", "celesta", "music_box"),
    "glockenspiel": ("glockenspiel",),
    "musicbox": ("music_box",),
    "vibraphone": ("vibraphone",),
    "vibes": ("vibraphone",),
    "marimba": ("marimba",),
    "xylophone": ("xylophone",),
    "kalimba": ("kalimba",),
    "organ": ("organ", "rock_organ", "church_organ"),
    "accordion": ("accordion",),
    "harmonica": ("harmonica",),
    "guitar": ("steel_guitar", "clean_guitar", "nylon_guitar", "jazz_guitar", "muted_guitar", "overdrive", "distortion"),
    "acousticguitar": ("steel_guitar", "nylon_guitar"),
    "electricguitar": ("clean_guitar", "overdrive", "distortion", "jazz_guitar"),
    "nylonguitar": ("nylon_guitar",),
    "ukulele": ("nylon_guitar",),
    "distortion": ("distortion", "overdrive"),
    "banjo": ("banjo",),
    "sitar": ("sitar",),
    "koto": ("koto",),
    "shamisen": ("shamisen",),
    "harp": ("harp",),
    "violin": ("violin",),
    "fiddle": ("fiddle", "violin"),
    "viola": ("viola",),
    "cello": ("cello",),
    "strings": ("strings", "slow_strings", "synth_strings", "tremolo", "violin", "viola", "cello", "pizzicato"),
    "pizzicato": ("pizzicato",),
    "choir": ("choir", "oohs", "synth_voice", "space_voice"),
    "voice": ("oohs", "choir", "solo_vox", "synth_voice"),
    "trumpet": ("trumpet", "mute_trumpet"),
    "trombone": ("trombone",),
    "horns": ("horns", "brass"),
    "brass": ("brass", "trumpet", "trombone", "horns", "tuba", "synth_brass"),
    "sax": ("alto_sax", "tenor_sax", "soprano_sax"),
    "oboe": ("oboe",),
    "bassoon": ("bassoon",),
    "clarinet": ("clarinet",),
    "flute": ("flute", "pan_flute", "recorder"),
    "panflute": ("pan_flute",),
    "whistle": ("whistle",),
    "shakuhachi": ("shakuhachi",),
    "bagpipe": ("bagpipe",),
    "steeldrum": ("steel_drum",),
    "synth": ("saw", "poly_synth", "square", "synth_strings", "warm_pad", "synth_brass"),
    "chiptune": ("square",),
    "pluck": ("kalimba", "pizzicato", "muted_guitar"),
    "upright": ("upright_bass",),
    "slap": ("slap_bass",),
    "fretless": ("fretless_bass",),
    "synthbass": ("synth_bass", "deep_bass"),
}
"""What a word stands for: the sounds it may mean, the plainest first. A refusal refuses them all."""
