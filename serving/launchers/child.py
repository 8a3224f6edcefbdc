"""The environment of a child process: what it needs to run, and none of our secrets."""

from __future__ import annotations

import os
from pathlib import Path

_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "TEMP",
    "TMP",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PYTHONHASHSEED",
    "CUDA_VISIBLE_DEVICES",
    "SYSTEMROOT",
)
_PASSED_ON_PREFIXES = ("LC_", "LD_", "DYLD_", "TF_", "OMP_", "MKL_")


# What the clients of Docker and Kubernetes read to find their engine and to be let in.
_ENGINE_PREFIXES = ("DOCKER_", "KUBE", "AWS_", "GOOGLE_", "CLOUDSDK_", "SSH_AUTH_SOCK", "HTTPS_PROXY", "NO_PROXY")


def engine_environment() -> dict[str, str]:
    """What a child gets that talks to an engine for us; a model server never does."""
    return child_environment() | {name: value for name, value in os.environ.items() if name.startswith(_ENGINE_PREFIXES)}


def child_environment() -> dict[str, str]:
    """The part of our environment that the child gets. It serves on the CPU unless told otherwise."""
    passed = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)}
    passed.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    # The child must find this package and its dependencies wherever the parent did, also without an installation.
    here = str(Path(__file__).resolve().parents[2])
    passed["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([here, *passed.get("PYTHONPATH", "").split(os.pathsep)])).rstrip(os.pathsep)
    return passed
