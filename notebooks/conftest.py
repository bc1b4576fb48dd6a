"""The notebooks as tests: in a home of their own, on the studio, whatever this machine has stored."""

from __future__ import annotations

import os
import tempfile

_home = tempfile.TemporaryDirectory(prefix="finetuning-notebooks-", ignore_cleanup_errors=True)

# Kernels inherit the environment; nbval gives them no fixtures to set it with.
os.environ.pop("FINETUNING_API_KEY", None)
os.environ["FINETUNING_CONFIG_HOME"] = f"{_home.name}/config"
os.environ["FINETUNING_DATA_HOME"] = f"{_home.name}/data"
os.environ["FINETUNING_SOUNDFONT"] = "bundled"  # whatever else is installed here
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"


def pytest_unconfigure() -> None:
    """Remove what the notebooks left."""
    _home.cleanup()
