"""The OpenAPI document tells the truth: schemathesis, stateful and with all checks, finds nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx

from finetuning.studio import Studio
from finetuning.studio.operations import OPERATIONS

# A batch of well-formed ids of which none exists is answered 400 ADD_FAILED or MOVE_FAILED: the reference wants it so.
SETTINGS = """
[[operations]]
include-operation-id = ["addTracks", "moveTracks"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404"]
"""


def test_schemathesis_finds_nothing(studio: Studio, tmp_path: Path) -> None:
    for name in ("one", "two"):
        studio.create_playlist(name)
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(SETTINGS)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration)),
            *("run", f"{studio.url}/openapi.json", "--header", f"X-API-Key: {studio.api_key}"),
            *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--mode", "all"),
            *(
                "--max-examples",
                "15",
                "--seed",
                "1",
                "--generation-database",
                "none",
                "--continue-on-failure",
                "--no-color",
            ),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_operation_is_described(shared: httpx.Client) -> None:
    document = shared.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    described = {(path, method.upper()) for path, operations in document["paths"].items() for method in operations}
    served = {(operation.path, operation.methods[0]) for operation in OPERATIONS} - {("/openapi.json", "GET")}
    assert described == served
    assert "servers" in document
