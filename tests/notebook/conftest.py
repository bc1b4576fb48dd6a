"""A real kernel, as a notebook has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

_PATIENCE = 60.0


@dataclass
class Ran:
    """What one cell did."""

    result: str = ""
    stdout: str = ""
    stderr: str = ""
    error: str = ""
    shown: list[str] = field(default_factory=list)
    traceback: list[str] = field(default_factory=list)


class Kernel:
    def __init__(self, environment: dict[str, str]) -> None:
        self._manager = KernelManager()
        self._manager.start_kernel(env=environment)
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=_PATIENCE)
        #: What is typed when the kernel asks, and what it asked, with whether the answer is hidden.
        self.answers: list[str] = []
        self.asked: list[tuple[str, bool]] = []

    def run(self, code: str, *, interrupt_at: str = "") -> Ran:
        """Run a cell; interrupt it when it says `interrupt_at`."""
        ran = Ran()
        interrupted = not interrupt_at

        def hear(message: dict[str, Any]) -> None:
            nonlocal interrupted
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    setattr(ran, content["name"], getattr(ran, content["name"]) + content["text"])
                case "execute_result":
                    ran.result = content["data"]["text/plain"]
                case "display_data":
                    ran.shown.append(content["data"]["text/plain"])
                case "error":
                    ran.error = f"{content['ename']}: {content['evalue']}"
                    ran.traceback = content["traceback"]
            if not interrupted and interrupt_at in ran.stderr:
                interrupted = True
                self._manager.interrupt_kernel()

        def answer(message: dict[str, Any]) -> None:
            self.asked.append((message["content"]["prompt"], message["content"]["password"]))
            self._client.input(self.answers.pop(0))

        self._client.execute_interactive(
            code, timeout=_PATIENCE, output_hook=hear, allow_stdin=bool(self.answers), stdin_hook=answer
        )
        return ran

    def ok(self, code: str) -> Ran:
        ran = self.run(code)
        assert not ran.error, ran
        return ran

    def value(self, expression: str) -> str:
        return self.ok(expression).result

    def tab(self, code: str) -> list[str]:
        """What the cell would be after each of the completions offered at its end."""
        reply = self._client.complete(code, len(code), reply=True, timeout=_PATIENCE)["content"]
        start, end = reply["cursor_start"], reply["cursor_end"]
        return [code[:start] + match + code[end:] for match in reply["matches"]]

    def close(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    home = tmp_path_factory.mktemp("kernel")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FINETUNING_")}
    started = Kernel(
        environment
        | {
            "FINETUNING_CONFIG_HOME": str(home / "config"),
            "FINETUNING_DATA_HOME": str(home / "data"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "PYTHONWARNINGS": "default",
        }
    )
    started.ok(f"import os; os.chdir({str(home)!r})")
    yield started
    started.close()
