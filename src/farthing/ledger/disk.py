"""The system calls that the journal and its snapshots make, and no other.

They stand in one class so that a simulated disk can take their place: one that loses what was
not synced, tears writes, fails and fills up (tests/ledger/test_disk_simulated.py).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

from farthing.paths import lock, sync_folder

# What a disk says when there is no more room: full, over quota, or over the file's size limit.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

Buffer = bytes | mmap.mmap


class Disk:
    """The operating system's files."""

    def make_folder(self, folder: Path) -> None:
        """Make a private folder, if it is not there."""
        folder.mkdir(exist_ok=True, mode=0o700)

    def lock(self, path: Path, busy: str) -> int:
        """Take a lock file, or raise ConfigError with what `busy` says."""
        return lock(path, busy)

    def names(self, folder: Path) -> list[str]:
        """Return the names in a folder."""
        return [path.name for path in folder.iterdir()]

    def open(self, path: Path, flags: int) -> int:
        """Open a file, private if it is made."""
        return os.open(path, flags, 0o600)

    def close(self, file: int) -> None:
        """Close a file."""
        os.close(file)

    def size(self, file: int) -> int:
        """Return a file's size in bytes."""
        return os.fstat(file).st_size

    def read(self, file: int, count: int, offset: int) -> bytes:
        """Read up to so many bytes from an offset on."""
        return os.pread(file, count, offset)

    def write(self, file: int, data: bytes, offset: int) -> None:
        """Write all of some bytes at an offset."""
        if os.pwrite(file, data, offset) != len(data):
            raise OSError(errno.EIO, "the disk took only a part of what was written")

    @contextlib.contextmanager
    def map(self, file: int) -> Iterator[Buffer]:
        """Read a whole file that nobody cuts meanwhile, without copying it."""
        size = self.size(file)
        if not size:  # nothing cannot be mapped
            yield b""
            return
        with mmap.mmap(file, size, prot=mmap.PROT_READ) as buffer:
            yield buffer

    def allocate(self, file: int, offset: int, size: int) -> None:
        """Give a file room, of zeros, that no full disk can take away."""
        os.posix_fallocate(file, offset, size)

    def truncate(self, file: int, size: int) -> None:
        """Cut a file off, or lengthen it."""
        os.ftruncate(file, size)

    def sync(self, file: int) -> None:
        """Put a file on the disk; macOS needs a call of its own to get past the drive's cache."""
        if hasattr(fcntl, "F_FULLFSYNC"):
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
        else:
            os.fdatasync(file)

    def sync_folder(self, folder: Path) -> None:
        """Put a folder's names on the disk."""
        sync_folder(folder)

    def rename(self, path: Path, to: Path) -> None:
        """Give a file another name, in place of whatever had it."""
        path.rename(to)

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)

    def remove_folder(self, folder: Path) -> None:
        """Remove an empty folder."""
        folder.rmdir()


DISK = Disk()
