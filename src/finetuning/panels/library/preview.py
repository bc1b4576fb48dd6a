"""What will become of each track, told from what is known here before anything is sent.

What cannot be told from here is not guessed: such tracks are `unsure`.
"""

from __future__ import annotations

from dataclasses import dataclass

from .intents import Intent, Verb, count, label_of
from .judges import Reason, Shelf, judge_of

__all__ = ["Preview", "preview"]


@dataclass(frozen=True)
class Preview:
    """The fate of each track of an intent; every id is in exactly one of the three.

    Attributes
    ----------
    intent
        What was looked at.
    will
        The ids that will be changed.
    refused
        The ids that will not, with the reason.
    unsure
        The ids of which it cannot be told from here, with why.
    notes
        What else to know before it is done.
    """

    intent: Intent
    will: list[str]
    refused: dict[str, Reason]
    unsure: dict[str, str]
    notes: list[str]

    @property
    def possible(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.will or self.unsure)

    @property
    def sent(self) -> list[str]:
        """The ids that are sent when it is done.

        The playlists' verbs and deletion send all, and let the service say why not: it may know better by now. Where
        it has no say for each track, what is refused is left out.
        """
        if self.intent.verb in (Verb.DOWNLOAD, Verb.PUBLISH, Verb.HIDE):
            return [id_ for id_ in self.intent.ids if id_ not in self.refused]
        return list(self.intent.ids)

    @property
    def sentence(self) -> str:
        """One line, such as `12 tracks: 10 will be added to “Focus”, 2 will be refused: private into public`."""
        total = len(self.intent.ids)
        parts = [f"{'none' if not self.will else f'{len(self.will):,}'} will be {self.intent.verb.done}{self._where}"]
        if self.refused:
            reasons = _counted(list(self.refused.values()))
            parts.append(f"{len(self.refused):,} will be refused: {reasons}")
        if self.unsure:
            parts.append(f"{len(self.unsure):,} cannot be told from here: {_counted(list(self.unsure.values()))}")
        return f"{count(total)}: {', '.join(parts)}"

    @property
    def _where(self) -> str:
        intent = self.intent
        if intent.verb == Verb.MOVE:
            return f" from {label_of(intent.source)} to {label_of(intent.target)}"
        if intent.verb == Verb.ADD:
            return f" to {label_of(intent.target)}"
        if intent.verb == Verb.REMOVE:
            return f" from {label_of(intent.source)}"
        return f" to {intent.folder}" if intent.verb == Verb.DOWNLOAD else ""

    def fate(self, id_: str) -> str:
        """Say what will become of one track."""
        if id_ in self.refused:
            return f"refused: {self.refused[id_]}"
        return f"cannot be told: {self.unsure[id_]}" if id_ in self.unsure else f"will be {self.intent.verb.done}"


def preview(intent: Intent, shelf: Shelf) -> Preview:
    """Tell what an intent will do, without asking the service.

    Parameters
    ----------
    intent
        With its playlists as they were last read, tracks included.
    shelf
        What is known of tracks.

    Returns
    -------
    Preview
    """
    judge = judge_of(intent, shelf)
    will: list[str] = []
    refused: dict[str, Reason] = {}
    unsure: dict[str, str] = {}
    for id_ in intent.ids:
        verdict = judge(id_)
        if verdict is None:
            will.append(id_)
        elif isinstance(verdict, Reason):
            refused[id_] = verdict
        else:
            unsure[id_] = verdict
    return Preview(intent, will, refused, unsure, _notes(intent, shelf, will))


def _notes(intent: Intent, shelf: Shelf, will: list[str]) -> list[str]:
    notes = []
    if intent.verb == Verb.DELETE:
        public = sum(1 for id_ in will if (record := shelf.library.get(id_)) and record.is_public)
        notes.append("Deleted tracks are gone for good: from the library, every playlist and public pages.")
        if public:
            notes.append(f"{count(public)} of these {'is' if public == 1 else 'are'} public.")
    if intent.verb == Verb.HIDE:
        notes.append("A track that is hidden leaves the public playlists that it is in; undo does not put it back.")
    if intent.undoing and intent.verb in (Verb.ADD, Verb.MOVE):
        notes.append("They come to the end of the playlist, whatever their place was before.")
    return notes


def _counted(reasons: list[str]) -> str:
    """Say reasons: alone without a number, otherwise each with its own."""
    counts = {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}
    if len(counts) == 1:
        return str(next(iter(counts)))
    return ", ".join(f"{number:,} {reason}" for reason, number in sorted(counts.items(), key=lambda pair: -pair[1]))
