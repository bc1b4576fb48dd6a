"""What `import finetuning` gives, what it costs, and whether every module tells the truth about itself."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import finetuning as ft

HEAVY = {"pandas", "numpy", "httpx", "matplotlib", "IPython", "ipywidgets", "msgspec", "keyring", "starlette", "tqdm"}
ROOT = Path(__file__).parent.parent


def modules() -> list[str]:
    return [
        each.name for each in pkgutil.walk_packages(ft.__path__, "finetuning.") if not each.name.endswith("__main__")
    ]


def test_importing_it_loads_nothing_heavy() -> None:
    script = "import sys, finetuning; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(done.stdout.split())


@pytest.mark.parametrize("name", ft.__all__)
def test_every_public_name_is_there(name: str) -> None:
    value = getattr(ft, name)
    home = ft._HOMES.get(name)
    if home is None:
        assert value is importlib.import_module(f"finetuning.{name}")
    else:
        assert value is getattr(importlib.import_module(home), name)
        assert vars(ft)[name] is value  # found once, and then at hand


def test_the_public_names_are_written_down_once_and_in_order() -> None:
    assert list(ft.__all__) == sorted([*ft._HOMES, *ft._MODULES])
    assert dir(ft) == sorted([*ft.__all__, "__version__"])


def test_the_names_for_type_checkers_are_the_same() -> None:
    tree = ast.parse(Path(ft.__file__ or "").read_text("utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    told = {
        alias.asname: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert told == ft._HOMES | dict.fromkeys(ft._MODULES, "finetuning")


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'finetuning' has no attribute 'Clinet'"):
        _ = ft.Clinet
    assert not hasattr(ft, "pandas")


@pytest.mark.parametrize(
    "package",
    ["finetuning.audio", "finetuning.listening", "finetuning.playlists", "finetuning.studio", "finetuning.webhooks"],
)
def test_a_name_that_a_package_has_not_is_one_too(package: str) -> None:
    with pytest.raises(AttributeError, match=package):
        _ = importlib.import_module(package).nothing_of_this_name


@pytest.mark.parametrize("name", ft._MODULES)
def test_what_a_module_offers_is_what_it_is_for(name: str) -> None:
    module = getattr(ft, name)
    assert sorted(dir(module)) == sorted(module.__all__)


def test_it_is_a_version() -> None:
    from importlib.metadata import version

    assert ft.__version__ == version("finetuning")


@pytest.mark.parametrize("name", modules())
def test_every_module_has_what_it_says_and_says_what_is_for_others(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__, "a module says what it is for"
    told = getattr(module, "__all__", None)
    if told is None:
        return
    assert len(told) == len(set(told))
    for each in told:
        assert hasattr(module, each), f"{name}.__all__ names {each}"


def test_what_other_modules_of_the_core_use_is_public() -> None:
    """A name that is imported across modules stands in the `__all__` of its own, or of none."""
    missing = []
    for name in modules():
        path = importlib.import_module(name).__file__ or ""
        for node in ast.walk(ast.parse(Path(path).read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("finetuning."):
                continue
            told = getattr(importlib.import_module(node.module or ""), "__all__", None)
            for alias in node.names:
                found = f"{node.module}.{alias.name}"
                if told is not None and alias.name not in told and found not in sys.modules:
                    missing.append(f"{name} imports {found}")
    assert missing == []


def test_imports_go_downward_only() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


HELD = """
import gc, sys
if "loaded" in sys.argv:
    import pandas
if "disabled" in sys.argv:
    gc.disable()
before = gc.isenabled()
from finetuning.loading import collector_held
try:
    with collector_held():
        print(gc.isenabled())
        raise KeyError
except KeyError:
    print(gc.isenabled() == before, gc.get_freeze_count() > 0)
"""


@pytest.mark.parametrize(
    ("state", "told"),
    [("", "False\nTrue True\n"), ("loaded", "True\nTrue False\n"), ("disabled", "False\nTrue False\n")],
)
def test_the_collector_is_held_while_the_first_modules_load_and_left_as_it_was(state: str, told: str) -> None:
    done = subprocess.run([sys.executable, "-c", HELD, state], capture_output=True, text=True, check=True)
    assert done.stdout == told
