"""A file is replaced as a whole, for those who may read it, or stays as it was."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from finetuning.replacement import replacing


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o644])
@pytest.mark.parametrize("umask", [0, 0o077])
def test_nobody_else_reads_it_before_it_is_whole(tmp_path: Path, mode: int, umask: int) -> None:
    path = tmp_path / "secrets"
    path.write_bytes(b"old")
    path.chmod(0o666)
    before = os.umask(umask)
    try:
        with replacing(path, mode=mode) as file:
            file.write(b"new")
            file.flush()
            (beside,) = set(tmp_path.iterdir()) - {path}
            assert mode_of(beside) == 0o600
            assert path.read_bytes() == b"old"
    finally:
        os.umask(before)
    assert (path.read_bytes(), mode_of(path)) == (b"new", mode)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("stop", [OSError, KeyboardInterrupt])
def test_what_fails_leaves_what_was_there(tmp_path: Path, stop: type[BaseException]) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"old")

    def write_half() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise stop

    with pytest.raises(stop):
        write_half()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_replaced_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"), replacing(tmp_path / "folder") as file:
        file.write(b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("durable", [True, False])
def test_the_disk_has_the_whole_before_it_takes_its_place_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    path, sizes = tmp_path / "kept", []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        sizes.append((os.fstat(descriptor).st_size, path.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    with replacing(path, durable=durable) as file:
        file.write(b"12345")
    assert sizes == ([(5, False)] if durable else [])
    assert path.read_bytes() == b"12345"


def test_two_who_write_at_once_do_not_mix_and_long_names_are_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / ("ø" * 125 + ".json")
    with replacing(path) as first:
        first.write(b"first")
        with replacing(path) as second:
            second.write(b"second")
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]
