"""Where farthing keeps its state: one data folder, private to its owner."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from farthing.errors import ConfigError

# A Unix socket's path holds at most 107 bytes on Linux and 103 on macOS (sys/un.h).
SOCKET_PATH_MOST = 100


def default_data() -> Path:
    """Return the XDG data folder's "farthing"."""
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "farthing"


class DataFolder:
    """The data folder and the names of what is in it. Made, with mode 0700, when missing."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigError(
                f"cannot make the data folder {self.root} ({error.strerror}); "
                "choose another with --data"
            ) from None

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    @property
    def records(self) -> Path:
        """The SQLite projection of the journal."""
        return self.root / "records.sqlite"

    @property
    def price_books(self) -> Path:
        return self.root / "price-books"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def log(self) -> Path:
        """The transparency log: its checkpoint and its tiles."""
        return self.root / "log"

    @property
    def log_key(self) -> Path:
        """The private key that checkpoints of the log are signed with."""
        return self.root / "secrets" / "log-key"

    @property
    def witnesses(self) -> Path:
        """What each witness of the log cosigned last."""
        return self.root / "witnesses.json"

    @property
    def timestamps(self) -> Path:
        """Why the time-stamping authority did not stamp the log when it was asked last."""
        return self.root / "timestamps.json"

    @property
    def log_salt(self) -> Path:
        """The secret that the log's commitments are salted with."""
        return self.root / "secrets" / "log-salt"

    @property
    def vault(self) -> Path:
        """Salts and contents of queries, encrypted; none where nothing is to be kept."""
        return self.root / "vault"

    @property
    def vault_key(self) -> Path:
        """The master key of the vault, which the tenants' keys are encrypted with."""
        return self.root / "secrets" / "vault-key"

    @property
    def telemetry(self) -> Path:
        """How far the journal has been told to the telemetry's collector."""
        return self.root / "telemetry"

    @property
    def local_speed(self) -> Path:
        """What the embedded model's calibration measured."""
        return self.root / "local-speed.json"

    @property
    def address(self) -> Path:
        """The address of the running gateway, for the command line to find it."""
        return self.root / "address"

    @property
    def lock(self) -> Path:
        """Held by the gateway that runs on the folder."""
        return self.root / "lock"

    @property
    def first_key(self) -> Path:
        """The plain text of the key that `farthing up` makes for its owner."""
        return self.root / "secrets" / "first-key"

    def pepper(self) -> bytes:
        """Return the secret that keys are hashed with, 32 bytes; made at first use."""
        path = self.root / "secrets" / "pepper"
        if not path.exists():
            write_private(path, secrets.token_hex(32))
        return bytes.fromhex(path.read_text())

    def socket(self, name: str) -> Path:
        """Return the path of a Unix socket; in a private folder elsewhere if it is too long."""
        path = self.root / f"{name}.sock"
        if len(os.fsencode(path)) <= SOCKET_PATH_MOST:
            return path
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        folder = runtime / f"farthing-{os.getuid()}-{digest}"
        folder.mkdir(exist_ok=True, mode=0o700)
        if folder.stat().st_uid != os.getuid():
            raise ConfigError(f"{folder} belongs to somebody else; choose a shorter --data path")
        return folder / f"{name}.sock"


def lock(path: Path, busy: str) -> int:
    """Take a lock file for this process, made when missing; closing the descriptor lets it go.

    Raises:
        ConfigError: another process has it; `busy` says what that means.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise ConfigError(busy) from None
    return descriptor


def private_secret(path: Path) -> bytes:
    """Return 32 bytes that are made once; a file that holds anything else is refused.

    Raises:
        ConfigError: the file holds anything else.
    """
    if not path.exists():
        write_private(path, new_secret().decode())
    return secret_of(path.read_bytes(), path)


def new_secret() -> bytes:
    """Return 32 random bytes as they stand in a file."""
    return secrets.token_hex(32).encode() + b"\n"


def secret_of(text: bytes, path: Path) -> bytes:
    """Return the 32 bytes that a file holds.

    Raises:
        ConfigError: it holds anything else.
    """
    try:
        secret = bytes.fromhex(text.decode())
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise ConfigError(
            f"{path} is not 32 bytes in hexadecimal; put back the file that was there"
        )
    return secret


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 so that it is there whole or not at all, even after a crash."""
    path.parent.mkdir(exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename or a new name in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
