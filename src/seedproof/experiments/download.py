"""Files from the network, fetched once, checked by their SHA-256 and kept in the user's cache."""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seedproof.errors import UsageError
from seedproof.experiments.cache import CHOOSE_ANOTHER, cache_directory
from seedproof.experiments.progress import Progress, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK = 1 << 16
MOST_BYTES = 64 << 20  # all of our files are smaller; whoever answers cannot fill the disk
PAUSES = (1.0, 3.0, 9.0)
RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class RemoteFile:
    """A file that never changes, and the homes that serve it.

    Attributes:
        name: path below the cache directory, with forward slashes.
        sha256: the digest of its bytes, in lower-case hexadecimal.
        urls: where it can be had, the preferred home first.
    """

    name: str
    sha256: str
    urls: tuple[str, ...]


class _HomeError(Exception):
    """One home did not deliver; `lasting` says that asking it again would not help."""

    def __init__(self, reason: str, *, lasting: bool) -> None:
        super().__init__(reason)
        self.lasting = lasting


def fetch(
    remote: RemoteFile,
    *,
    timeout: float = 20.0,
    pauses: tuple[float, ...] = PAUSES,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Return the path of the cached file, downloading it first where needed.

    Args:
        remote: what to fetch.
        timeout: seconds that a home may stay silent.
        pauses: seconds to wait before each further round over the homes.
        sleep: waits that many seconds.

    Raises:
        UsageError: no home delivered the right bytes, or the cache cannot be used.
    """
    directory = cache_directory()
    target = directory / remote.name
    try:
        if not _is_cached(target, remote.sha256):
            target.parent.mkdir(parents=True, exist_ok=True)
            _download_from_any_home(remote, target, timeout, pauses, sleep)
    except OSError as error:  # of the file system: those of the network became failures
        raise UsageError(
            f"cannot keep downloads in {directory}: {error.strerror or error}; {CHOOSE_ANOTHER}"
        ) from None
    return target


def _is_cached(target: Path, sha256: str) -> bool:
    if not target.is_file():
        return False
    digest = hashlib.sha256()
    with target.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    if digest.hexdigest() == sha256:
        return True
    say(f"{target} is no longer what was downloaded (other SHA-256); fetching it again")
    return False


def _download_from_any_home(
    remote: RemoteFile,
    target: Path,
    timeout: float,
    pauses: tuple[float, ...],
    sleep: Callable[[float], None],
) -> None:
    failures: dict[str, _HomeError] = {}
    for pause in (0.0, *pauses):
        homes = [url for url in remote.urls if url not in failures or not failures[url].lasting]
        if pause and homes:
            say(f"{remote.name}: {failures[homes[-1]]}; trying again in {pause:g} s")
            sleep(pause)
        for url in homes:
            try:
                return _download(url, remote, target, timeout)
            except _HomeError as failure:
                failures[url] = failure
    reasons = "; ".join(f"{_host(url)}: {failure}" for url, failure in failures.items())
    raise UsageError(
        f"cannot download {remote.name} ({reasons}); use --dataset digits, which needs no "
        "network, or name files on this machine: --dataset IMAGES,LABELS"
    )


def _download(url: str, remote: RemoteFile, target: Path, timeout: float) -> None:
    digest, received = hashlib.sha256(), 0
    text = f"downloading {remote.name} from {_host(url)}"
    with _replacement_of(target) as write, Progress(text) as progress:
        for chunk in _chunks(url, timeout):
            write(chunk)
            digest.update(chunk)
            progress.add(len(chunk))
            received += len(chunk)
            if received > MOST_BYTES:
                raise _HomeError(f"it sends more than {MOST_BYTES:,} bytes", lasting=True)
        if digest.hexdigest() != remote.sha256:
            raise _HomeError(f"another file, its SHA-256 is {digest.hexdigest()}", lasting=True)


@contextmanager
def _replacement_of(target: Path) -> Iterator[Callable[[bytes], object]]:
    """Write beside the target, and put it in its place only when all went well."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file.write
        partial.chmod(0o644)  # a cache may be shared; so far its owner alone can read the file
        partial.replace(target)
    except BaseException:
        partial.unlink()
        raise


def _chunks(url: str, timeout: float) -> Iterator[bytes]:
    try:
        # The addresses are this program's own constants, never a user's.
        with urllib.request.urlopen(url, timeout=timeout) as response:  # noqa: S310
            missing = int(response.headers.get("Content-Length", 0))
            for chunk in iter(lambda: response.read(CHUNK), b""):
                missing -= len(chunk)
                yield chunk
    except urllib.error.HTTPError as error:
        error.close()
        lasting = error.code not in RETRIED_STATUSES
        raise _HomeError(f"HTTP {error.code} {error.reason}", lasting=lasting) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _HomeError(_reason(error), lasting=False) from None
    # A connection that closes early ends some Pythons' reading without an error.
    if missing > 0:
        raise _HomeError(f"the connection closed {missing:,} bytes early", lasting=False)


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", error)
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc
