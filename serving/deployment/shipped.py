"""The files of a stack that come with the package: manifests, the compose file, what Traefik, Prometheus and Grafana read."""

from __future__ import annotations

from pathlib import Path

from configs.errors import SluicewayError

ROOT = Path(__file__).parents[1] / "deploy"
CONFIG = "kubernetes/base/config"


def tree(*places: str) -> dict[str, bytes]:
    """Path below ROOT to content, of files and of all files in folders.

    Raises:
        SluicewayError: one is missing from this installation.
    """
    found: dict[str, bytes] = {}
    for place in places:
        path = ROOT / place
        files = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
        try:
            found |= {file.relative_to(ROOT).as_posix(): file.read_bytes() for file in files}
        except OSError as error:
            raise SluicewayError(f"{error.filename}: {error.strerror}; this installation is incomplete: install sluiceway again") from error
    return found
