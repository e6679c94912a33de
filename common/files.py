"""Files that are whole or absent: written beside their place, flushed to the disk, renamed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from common.errors import InputError

try:
    import fcntl
except ImportError:  # Windows: two runs in one folder go unnoticed there.
    fcntl = None  # type: ignore[assignment]

# What a killed writer leaves begins with this.
PARTIAL = ".partial-"


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A new file to write, which takes the place of `path` when the block ends well.

    The file at `path`, or the link, stays until then; after a failure it is unchanged.
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(suffix=f"-{path.name}", prefix=PARTIAL, dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle):  # Windows renames closed files only.
            # Temporary files are private; this one takes the place of a usual one.
            os.chmod(partial, 0o666 & ~_umask())
            yield partial
            os.fsync(handle)
        os.replace(partial, path)
        flush(path.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold a lock, which goes with the process, by a file that is there meanwhile.

    Raises:
        InputError: another process holds it; the message says that it uses `what`.
    """
    if fcntl is None:
        yield
        return
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not took_lock(handle):
            holder = os.read(handle, 20).decode(errors="replace")
            os.close(handle)
            raise InputError(f"Process {holder or '?'} uses {what}.")
        # Its last holder may have removed the file since it was opened.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                break
        os.close(handle)
    try:
        # A full disk keeps nobody from holding the lock without a name.
        with suppress(OSError):
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def took_lock(handle: int) -> bool:
    """Lock an open file until it is closed or the program ends; False if that is not possible."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def remove_partial(folder: Path) -> None:
    """Remove what killed writers left in a folder that nobody else writes to."""
    for left in folder.glob(f"{PARTIAL}*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def flush(path: Path) -> None:
    """Make the disk hold a file, or a folder's list of names, before anything relies on it."""
    # Some systems cannot open a folder, and have nothing to flush.
    with suppress(PermissionError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
