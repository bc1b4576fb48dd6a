"""JupyterLab on loopback, and a notebook in it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import finetuning as ft

#: How long anything may take on a machine that has other things to do.
_SECONDS = 240.0
#: How long a key may take until it is taken for lost, and is pressed again.
_LOST = 15.0
#: Whether the decks of a page put out sound.
_HEARD = """async () => {
  const { context, master } = globalThis[Symbol.for("finetuning.deck")];
  const analyser = new AnalyserNode(context, { fftSize: 8192 });
  master.connect(analyser);
  await new Promise((resolve) => setTimeout(resolve, 250));
  const samples = new Float32Array(8192);
  analyser.getFloatTimeDomainData(samples);
  master.disconnect(analyser);
  return Math.hypot(...samples) / Math.sqrt(samples.length) > 0.005;
}"""
#: A kernel that waits for a cell to run.
_READY = ".jp-Notebook-ExecutionIndicator[data-status='idle']"


class Lab:
    """A server whose folder is `root`; its kernels talk to the studio.

    Parameters
    ----------
    root
        An empty folder.
    studio
        Whose address and key `finetuning.connect` finds there.
    """

    def __init__(self, root: Path, studio: ft.studio.Studio) -> None:
        self.root = root
        # The port stays bound until the server listens, which may share it; everybody else is given another one.
        reserved = socket.socket()
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        home = root / "home"
        home.mkdir()
        self.begin = f"import finetuning as ft\nclient = ft.Client({studio.api_key!r}, {studio.url!r}, progress=False)"
        self._log = (root / "lab.log").open("w")
        self._server = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
                "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password=",
                "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={root}",
                "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            ],
            cwd=root,
            env=os.environ | {
                "HOME": str(home),
                "FINETUNING_DATA_HOME": str(home / "data"),
                "FINETUNING_CONFIG_HOME": str(home / "config"),
                "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
                "JUPYTER_DATA_DIR": str(home / "share"),
                "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
                "IPYTHONDIR": str(home / "ipython"),
                "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            },
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        deadline = time.monotonic() + _SECONDS
        while not self._answers():
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(0.2)
            assert self._server.poll() is None, (root / "lab.log").read_text()
            assert time.monotonic() < deadline, (root / "lab.log").read_text()
        reserved.close()

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.terminate()
        self._server.wait(_SECONDS)
        self._log.close()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/status", timeout=5) as answer:  # noqa: S310 - loopback
                return bool(answer.status == 200)
        except OSError:
            return False

    def write(self, name: str, cells: Sequence[str]) -> Path:
        """Write a notebook; `self.begin` makes a client in a cell."""
        path = self.root / f"{name}.ipynb"
        code: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        body = [code | {"id": f"c{place}", "source": source} for place, source in enumerate(cells)]
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        path.write_text(
            json.dumps({"cells": body, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
        )
        return path

    def end_kernels(self) -> None:
        """End all kernels, as a server that was started anew has none."""
        with urllib.request.urlopen(f"{self.url}/api/kernels", timeout=30) as answer:  # noqa: S310 - loopback
            kernels = json.load(answer)
        for kernel in kernels:
            ending = urllib.request.Request(f"{self.url}/api/kernels/{kernel['id']}", method="DELETE")  # noqa: S310 - likewise
            urllib.request.urlopen(ending, timeout=60).close()  # noqa: S310 - likewise

    def open(self, page: Any, path: Path) -> Notebook:
        """Open a notebook in a workspace of its own."""
        # JupyterLab asks for a kernel that it is starting, where that takes long.
        asked = page.locator(".jp-Dialog .jp-mod-accept")
        page.add_locator_handler(asked, lambda button: button.click(), no_wait_after=True)
        page.goto(f"{self.url}/lab/workspaces/w{time.monotonic_ns()}/tree/{path.name}")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=_SECONDS * 1000)
        page.wait_for_selector(_READY, timeout=_SECONDS * 1000)
        return Notebook(page, path)


class Notebook:
    """A notebook that is open in JupyterLab."""

    def __init__(self, page: Any, path: Path) -> None:
        self.page = page
        self.path = path

    def cell(self, place: int) -> Any:
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(place)

    def run(self, place: int) -> None:
        """Run one cell, and return when the kernel has it, or will have it next."""
        before = self._prompt(place)
        deadline = time.monotonic() + _SECONDS
        while self._prompt(place) == before:
            if time.monotonic() >= deadline:
                raise TimeoutError(f"cell {place} does not begin")
            # A page that is still building itself may take the focus away again, and with it the key.
            self.cell(place).locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            until(self.page, lambda: self._prompt(place) != before, _LOST)

    def running(self, place: int) -> bool:
        """Whether a cell was sent to the kernel and has not ended."""
        return self._prompt(place) == "[*]:"

    def wait(self, place: int) -> None:
        """Wait until a cell has run."""
        deadline = time.monotonic() + _SECONDS
        while not (prompt := self._prompt(place))[1:-2].isdigit():
            if time.monotonic() >= deadline:
                raise TimeoutError(f"cell {place} is still {prompt!r}")
            if prompt == "[*]:":
                self.page.wait_for_timeout(50)
            else:  # on a busy machine the kernel may connect anew, and forget what was sent
                self.page.wait_for_selector(_READY, timeout=_SECONDS * 1000)
                self.run(place)

    def _prompt(self, place: int) -> str:
        return str(self.cell(place).locator(".jp-InputPrompt").first.inner_text())

    def text(self, place: int) -> str:
        """What a cell has put out."""
        self.wait(place)
        return "\n".join(self.cell(place).locator(".jp-OutputArea-output").all_inner_texts())

    def save(self) -> dict[str, Any]:
        """Save, and return what was written, all of it."""
        before = self.path.stat().st_mtime_ns
        saved: dict[str, Any] = {}

        def written() -> bool:
            if self.path.stat().st_mtime_ns != before:
                with suppress(json.JSONDecodeError):  # it is being written
                    saved.update(json.loads(self.path.read_text("utf-8")))
            return bool(saved)

        deadline = time.monotonic() + _SECONDS
        while not saved:
            if time.monotonic() >= deadline:
                raise TimeoutError("the notebook was not saved")
            self.page.keyboard.press("Escape")
            self.page.keyboard.press("Control+s")
            until(self.page, written, _LOST)
        return saved


def until(page: Any, true: Callable[[], Any], seconds: float = _SECONDS) -> bool:
    """Wait until something holds, and say whether it did in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() >= deadline:
            return False
        page.wait_for_timeout(50)
    return True


def hear(page: Any) -> None:
    """Wait until the decks of a page put out sound."""
    page.wait_for_function(_HEARD)
