"""Mount disks of a test's own: small ones that get full, and one that turns read-only. Mounting takes root.

The mounts live in a namespace that only the test's thread and what it starts can see. The kernel takes them down with
the last process in it, so nothing is left on the machine however the test ends.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_CLONE_NEWNS = 0x00020000
_CHUNKS = (1 << 20, 1 << 16, 1 << 12, 1)


def with_own_mounts(work: Callable[[], None]) -> None:
    """Run `work` on a thread whose mounts nobody else sees; raises what it raises.

    Fails the test with one sentence where the machine does not let us mount.
    """
    failed: list[BaseException] = []

    def run() -> None:
        try:
            _leave_the_namespace()
            work()
        except BaseException as error:  # noqa: BLE001 - handed to whoever asked
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def _leave_the_namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS):
        number = ctypes.get_errno()
        pytest.fail(
            f"this test mounts disks of its own and needs root with CAP_SYS_ADMIN: unshare says {os.strerror(number)}"
        )
    _run("mount", "--make-rprivate", "/")


@contextmanager
def small_disk(megabytes: int, owner: tuple[int, int] = (0, 0)) -> Iterator[Path]:
    """An empty disk in memory of that size, closed to everybody but `owner` (user, group)."""
    with _mount_point() as place:
        options = f"size={megabytes}m,mode=0700,uid={owner[0]},gid={owner[1]}"
        _run("mount", "-t", "tmpfs", "-o", options, "menshen-test", place)
        yield place


@contextmanager
def breakable_disk(image: Path, megabytes: int) -> Iterator[Path]:
    """An ext4 in the file `image`, made if there is none, that turns read-only at the first fault it meets."""
    if not image.exists():
        with image.open("wb") as new:
            new.truncate(megabytes << 20)
        _run("mkfs.ext4", "-q", "-m", "0", image)
    with _mount_point() as place:
        _run("mount", "-o", "loop,errors=remount-ro", image, place)
        yield place


@contextmanager
def _mount_point() -> Iterator[Path]:
    # Not below pytest's folder: PostgreSQL's user may not enter that.
    place = Path(tempfile.mkdtemp(prefix="menshen-disk-", dir="/tmp"))
    # A temporary folder is its maker's alone; what is mounted on it has rights of its own.
    place.chmod(0o755)
    try:
        yield place
    finally:
        # Lazily: a process that was killed a moment ago may still hold a file.
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)
        place.rmdir()


def break_disk(place: Path) -> None:
    """Have ext4 meet a fault: from now on nothing is written, whoever has a file open."""
    device = _run("findmnt", "--noheadings", "--output", "SOURCE", place).strip()
    Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error").write_text("a test")


def freeze(*files: Path) -> None:
    """Let nobody write to them, not even root and not even who has them open (ext4)."""
    _run("chattr", "+i", *files)


def thaw(*files: Path) -> None:
    """Undo `freeze`."""
    _run("chattr", "-i", *files)


def bind_read_only(source: Path, place: Path) -> None:
    """Show `source` at `place`, where nothing can be written."""
    _run("mount", "--bind", source, place)
    _run("mount", "-o", "remount,bind,ro", place)


def bind(source: Path, place: Path) -> None:
    """Show `source` at `place`."""
    _run("mount", "--bind", source, place)


def fill(place: Path) -> Path:
    """Write a file of somebody else's until the disk takes not one byte more; the file."""
    ballast = place / "ballast"
    with ballast.open("ab", buffering=0) as out:
        for chunk in _CHUNKS:
            try:
                while out.write(bytes(chunk)) == chunk:
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    assert shutil.disk_usage(place).free == 0
    return ballast


def _run(program: str, *arguments: str | Path) -> str:
    if shutil.which(program) is None:
        pytest.fail(f"this test needs the program {program}: install util-linux and e2fsprogs")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{program} failed: {done.stderr}"
    return done.stdout
