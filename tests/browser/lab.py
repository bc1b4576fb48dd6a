"""JupyterLab on loopback, and a notebook in it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import finetuning as ft

_SECONDS = 90.0
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
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
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
            assert self._server.poll() is None, (root / "lab.log").read_text()
            assert time.monotonic() < deadline, (root / "lab.log").read_text()
            time.sleep(0.2)

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.terminate()
        self._server.wait(30)
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

    def run_all(self) -> None:
        """Run all cells, and return at once."""
        self.page.wait_for_selector(_READY, timeout=_SECONDS * 1000)
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()

    def run(self, place: int) -> None:
        """Run one cell, and return when it has begun."""
        prompt = self.cell(place).locator(".jp-InputPrompt").first
        before = prompt.inner_text()
        deadline = time.monotonic() + _SECONDS
        while prompt.inner_text() == before:
            assert time.monotonic() < deadline, f"cell {place} does not begin"
            # A page that is still building itself may take the focus away again, and with it the key.
            self.cell(place).locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            for _ in range(40):
                self.page.wait_for_timeout(50)
                if prompt.inner_text() not in (before, "[*]:"):
                    break

    def wait(self, place: int) -> None:
        """Wait until a cell has run."""
        prompt = self.cell(place).locator(".jp-InputPrompt").first
        deadline = time.monotonic() + _SECONDS
        while not prompt.inner_text().strip("[]: ").isdigit():
            assert time.monotonic() < deadline, f"cell {place} is still {prompt.inner_text()!r}"
            self.page.wait_for_timeout(50)
            if prompt.inner_text() == "[ ]:":  # on a busy machine the kernel may connect anew, and forget what was sent
                self.page.wait_for_timeout(2000)
                self.run(place)

    def text(self, place: int) -> str:
        """What a cell has put out."""
        self.wait(place)
        return "\n".join(self.cell(place).locator(".jp-OutputArea-output").all_inner_texts())

    def save(self) -> dict[str, Any]:
        """Save, and return what was written."""
        before = self.path.stat().st_mtime_ns
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+s")
        deadline = time.monotonic() + _SECONDS
        while self.path.stat().st_mtime_ns == before:
            assert time.monotonic() < deadline, "the notebook was not saved"
            self.page.wait_for_timeout(100)
        saved: dict[str, Any] = json.loads(self.path.read_text())
        return saved
