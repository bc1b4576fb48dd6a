"""What `ft generate` was about to pay for, on the disk before it is sent.

The file is `generate.jsonl` in the data folder: a line before each request, and a line once it is known what came
of it. An intent without the second line, whose process has ended, is one whose answer was lost. A line that a crash
cut short is passed over: nothing was sent before it was whole.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from finetuning.errors import JournalError, JournalHeldError
from finetuning.sweep.locks import FileLock

__all__ = ["Intent", "Intents", "Newest"]


class Newest(msgspec.Struct, frozen=True, kw_only=True):
    """The end of the library just before a request, by the service's own clock.

    Attributes
    ----------
    at
        When the newest generation was made; None where there was none.
    ids
        Those of its page that are as new.
    """

    at: datetime | None
    ids: list[str]


class Intent(msgspec.Struct, frozen=True, kw_only=True, tag="intent", tag_field="kind"):
    """One request that costs a credit.

    Attributes
    ----------
    at
        When it was about to be sent, by this machine's clock.
    base_url, account
        Where to; the account's key, redacted.
    body
        All parameters, the seed among them; of a webhook, which may hold a secret, only a digest.
    drawn
        Whether the seed was drawn here, and so is nobody else's.
    newest
        What was the newest before; None where nobody looked.
    """

    id: str
    at: datetime
    base_url: str
    account: str
    body: dict[str, Any]
    drawn: bool
    newest: Newest | None = None

    @property
    def seed(self) -> int:
        """The seed that was sent."""
        return int(self.body["seed"])


class _Settled(msgspec.Struct, frozen=True, kw_only=True, tag="settled", tag_field="kind"):
    intent: str
    at: datetime
    generation: str | None


_decoder = msgspec.json.Decoder(Intent | _Settled)


class Intents:
    """The file, and the locks of what is being sent.

    Parameters
    ----------
    folder
        The data folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "generate.jsonl"
        self._locks = folder / "generate"
        self._held: dict[str, FileLock] = {}

    def begin(
        self, base_url: str, account: str, body: Mapping[str, Any], *, drawn: bool, newest: Newest | None = None
    ) -> Intent:
        """Record a request that is about to be sent, and hold it until it is settled or let go.

        Raises
        ------
        JournalError
            It cannot be recorded; then nothing may be sent.
        """
        intent = Intent(
            id=uuid.uuid4().hex,
            at=datetime.now(UTC),
            base_url=base_url,
            account=account,
            body=_without_secrets(body),
            drawn=drawn,
            newest=newest,
        )
        self._hold(intent)
        try:
            self._append(intent)
        except BaseException:
            self.release()
            raise
        return intent

    def settle(self, intent: Intent, generation: str | None) -> None:
        """Record what came of a request: the generation's id, or None where it was surely not accepted."""
        self._append(_Settled(intent=intent.id, at=datetime.now(UTC), generation=generation))
        self._let_go(intent.id)

    def lost(self, base_url: str, account: str, body: Mapping[str, Any]) -> Intent | None:
        """Return the first intent with these parameters whose answer was lost, and hold it.

        Parameters
        ----------
        base_url, account
            As for `begin`.
        body
            Where it names no seed, an intent with a seed that was drawn matches.
        """
        wanted = _without_secrets(body)
        for intent in self._open():
            same = {name: value for name, value in intent.body.items() if name != "seed" or not intent.drawn}
            if (intent.base_url, intent.account, same) != (base_url, account, wanted):
                continue
            try:
                self._hold(intent)
            except JournalHeldError:
                continue  # it is being sent at this moment
            return intent
        return None

    def known(self) -> set[str]:
        """Return the ids of all generations that are the answer to an intent."""
        return {line.generation for line in self._lines() if isinstance(line, _Settled) and line.generation}

    def release(self) -> None:
        """Let go of what is held, settled or not."""
        for id_ in list(self._held):
            self._let_go(id_)

    def _hold(self, intent: Intent) -> None:
        lock = FileLock(self._locks / f"{intent.id}.lock")
        lock.acquire()
        self._held[intent.id] = lock

    def _let_go(self, id_: str) -> None:
        lock = self._held.pop(id_)
        if os.name == "posix":
            lock.path.unlink(missing_ok=True)  # the id is nobody else's, so nobody waits for this name
        lock.release()

    def _open(self) -> list[Intent]:
        found: dict[str, Intent] = {}
        for line in self._lines():
            if isinstance(line, Intent):
                found[line.id] = line
            else:
                found.pop(line.intent, None)
        return list(found.values())

    def _lines(self) -> list[Intent | _Settled]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as problem:
            raise JournalError(f"{self.path} cannot be read: {problem.strerror}.") from None
        found: list[Intent | _Settled] = []
        for line in content.splitlines():
            try:
                found.append(_decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # cut short by a crash, before anything rested on it
        return found

    def _append(self, line: Intent | _Settled) -> None:
        # Beginning with an end of line: what a crash left of the line before must not swallow this one.
        data = b"\n" + msgspec.json.encode(line) + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                if os.write(descriptor, data) != len(data):
                    raise OSError(28, "No space left on device")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as problem:
            raise JournalError(
                f"{self.path} cannot be written: {problem.strerror}.",
                hint="Without it a lost answer could be paid for twice; make room, or name another folder with "
                "FINETUNING_DATA_HOME.",
            ) from None


def _without_secrets(body: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(body)
    if "webhook" in found:
        found["webhook"] = hashlib.sha256(found["webhook"].encode()).hexdigest()[:16]
    return found
