"""Weights on the Hugging Face Hub: found in its own cache, and fetched into it with the SHA-256 that the Hub states.

The cache is laid out as huggingface_hub documents it, so what `hf download` or timm fetched is found here, and the other way
round: models--OWNER--NAME/refs/main names a commit, snapshots/COMMIT/ holds links, blobs/ the files under their SHA-256.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urljoin

from uap_core.errors import DownloadError
from uap_core.io.atomic import write_whole
from uap_core.io.download import Fetched, connecting, download, host_of, writing

FILE = "model.safetensors"  # nothing else is asked for: a pickle could run code
COMMIT, SHA256 = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{64}")
MOVES = 3
MISSING = (401, 404)  # the Hub says 401 of a repository that is not there


def cache() -> Path:
    """Where the Hub keeps its files: as huggingface_hub finds it from HF_HUB_CACHE, HF_HOME and XDG_CACHE_HOME."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    hub_home = os.environ.get("HF_HOME") or Path(home) / "huggingface"
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or Path(hub_home) / "hub"
    return Path(os.path.expandvars(named)).expanduser()


def folder(repository: str) -> Path:
    """The folder in the cache of a repository, "owner/name"."""
    return cache() / f"models--{repository.replace('/', '--')}"


def repositories() -> list[str]:
    """Every model repository that has a folder in the cache."""
    found = sorted(cache().glob("models--*--*"))
    return [path.name.removeprefix("models--").replace("--", "/") for path in found]


def cached(repository: str) -> Path | None:
    """The safetensors file of a repository in the cache, or None."""
    home = folder(repository)
    try:
        commit = (home / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    path = home / "snapshots" / commit / FILE
    return path if COMMIT.fullmatch(commit) and path.is_file() else None


def promised_hash(path: Path) -> str:
    """The SHA-256 that the Hub stated of a cached file: the name of what its link points to. Empty where there is no link."""
    name = path.resolve().name
    return name if SHA256.fullmatch(name) else ""


def address(repository: str, revision: str = "main") -> str:
    """Where the file of a repository is; HF_ENDPOINT names another Hub."""
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    return f"{endpoint.rstrip('/')}/{repository}/resolve/{revision}/{FILE}"


def fetch(repository: str, megabytes: float, advice: str) -> Iterator[Fetched]:
    """Download the file of a repository into the cache, telling how far it is.

    It counts when all of it is here and its SHA-256 is the one that the Hub stated; closing the iterator before leaves nothing
    behind. More than twice ``megabytes`` are not listened to. Raises DownloadError with what happened, and ``advice``.
    """
    commit, sha256 = _stated(repository, advice)
    home = folder(repository)
    path, blob = home / "snapshots" / commit / FILE, home / "blobs" / sha256
    try:
        yield from download(address(repository, commit), blob, sha256, int(2e6 * megabytes), advice=advice, name=FILE)
        with writing(FILE, home):
            _link(path, blob)
            write_whole(home / "refs" / "main", commit.encode())
    finally:
        for made in (blob.parent, path.parent, path.parent.parent, home):
            with suppress(OSError):  # non-empty folders stay
                made.rmdir()


def _stated(repository: str, advice: str) -> tuple[str, str]:
    """Commit and SHA-256 of a repository's file, as the Hub states them. Raises DownloadError."""
    import httpx

    url = address(repository)
    host = host_of(url)
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise DownloadError(f"HF_HUB_OFFLINE is set: nothing is fetched from {host}. {advice}")
    with connecting(url, FILE, advice):
        for _move in range(MOVES):  # a repository that was renamed points to its new name, a file to where its bytes are
            answer = httpx.head(url, headers={"Accept-Encoding": "identity"}, timeout=10)
            if answer.status_code in MISSING:
                raise DownloadError(
                    f"{host} has no {FILE} of {repository}, and other files could run code. Choose another network."
                )
            stated = answer.headers.get("X-Repo-Commit", ""), answer.headers.get("X-Linked-Etag", "").strip('"')
            if COMMIT.fullmatch(stated[0]) and SHA256.fullmatch(stated[1]):
                return stated
            if not answer.has_redirect_location:
                answer.raise_for_status()
                break
            url = urljoin(url, answer.headers["Location"])
    raise DownloadError(f"{host} does not state the SHA-256 of {FILE}: nothing could be checked. {advice}")


def _link(path: Path, blob: Path) -> None:
    """Let ``path`` be a link to ``blob``, as the Hub does; where links are not allowed the file moves there.

    Another process may do the same at any moment: ``path`` is never missing once it was there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{FILE}.{os.getpid()}.link")
    try:
        beside.symlink_to(os.path.relpath(blob, path.parent))
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        os.replace(blob, path)
