"""Measures side by side: `python -m benchmarks.serve [--rounds 3] [--only sluiceway,ray_serve] [--json]`. Run it on a machine that is idle.

Needs wrk and h2load (Debian: wrk, nghttp2-client), uv, and a Python 3.12 for the others.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.serve import cases
from benchmarks.serve.measure import Plan, measure
from benchmarks.serve.process import adopt_orphans, end_when_told
from benchmarks.serve.servers import FLAGS, OURS, SERVERS
from benchmarks.serve.table import text

GENERATORS = {"wrk": "wrk", "h2load": "nghttp2-client"}


def default_work() -> Path:
    """Below the user's cache folder: environments of several gigabytes are worth keeping."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluiceway" / "benchmarks" / "serve"


def some_of(known: Sequence[str]) -> Callable[[str], list[str]]:
    """A parser of comma-separated names, all of them known."""

    def parse(given: str) -> list[str]:
        names = [name.strip() for name in given.split(",")]
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not among {', '.join(known)}")
        return names

    return parse


def numbers(given: str) -> list[int]:
    """A parser of comma-separated whole numbers of at least 1, in ascending order."""
    found = sorted({int(number) for number in given.split(",")})
    if found[0] < 1:
        raise argparse.ArgumentTypeError(f"{found[0]}: at least 1")
    return found


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", type=some_of(list(SERVERS)), default=list(SERVERS), metavar="PRODUCTS", help=f"of {', '.join(SERVERS)}")
    parser.add_argument("--models", type=some_of(cases.MODELS), default=list(cases.MODELS), help=f"of {', '.join(cases.MODELS)}")
    parser.add_argument("--clients", type=numbers, default=[1, 16, 64], help="concurrent clients (default 1,16,64)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="runs of each (default 3)")
    parser.add_argument("--seconds", type=int, default=4, metavar="N", help="length of each measurement (default 4)")
    parser.add_argument("--taxi", type=Path, metavar="STORE", help="take the taxi model from this store instead of a smoke run")
    parser.add_argument(
        "--work", type=Path, default=default_work(), metavar="DIR", help="environments, models and logs (default %(default)s)"
    )
    parser.add_argument("--python", metavar="PYTHON", help="interpreter for the others' environments (default: a Python 3.12)")
    parser.add_argument("--flags", metavar="FLAGS", help="flags of our server instead of those in servers/sluiceway.py, as one word")
    parser.add_argument("--json", action="store_true", help="print values instead of tables")
    return parser


def main() -> int:
    parser = arguments()
    options = parser.parse_args()
    for name, value in (("rounds", options.rounds), ("seconds", options.seconds)):
        if value < 1:
            parser.error(f"--{name} {value}: at least 1")
    for program, package in GENERATORS.items():
        if shutil.which(program) is None:
            parser.error(f"{program} is not here: apt install {package}")
    if options.flags is not None:
        os.environ[FLAGS] = options.flags
    end_when_told()
    adopt_orphans()
    work = options.work.resolve()
    try:
        built = [cases.build(name, work, options.taxi) for name in options.models]
    except cases.NotBuilt as failure:
        print(f"benchmarks.serve: {failure}", file=sys.stderr)
        return 1
    plan = Plan(options.only, built, options.clients, options.rounds, options.seconds, work, options.python)
    report = measure(plan)
    print(json.dumps(report.as_json(), indent=2) if options.json else text(report))
    return 0 if OURS not in plan.products or any(OURS in found for found in report.samples.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
