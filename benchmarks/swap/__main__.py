"""Measures swaps: `python -m benchmarks.swap [--seconds 60] [--swaps 20] [--taxi STORE/taxi] [--json]`. Run it on an idle machine."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from shutil import rmtree

from benchmarks.serve import ask, cases
from benchmarks.serve.__main__ import default_work
from benchmarks.serve.case import Case, read
from benchmarks.serve.process import adopt_orphans, end_when_told
from benchmarks.swap.measure import NotMeasured, Settings, measure
from benchmarks.swap.plan import Plan

CLOSEST = 2.0
"""Seconds between two swaps; with less a version may be overtaken before it is loaded."""


def wide(work: Path) -> Case:
    """The case of benchmarks.swap.models, built when it is not there yet. Raises NotBuilt."""
    builder = Path(__file__).with_name("models.py")
    folder = work / f"models-{sha256(builder.read_bytes()).hexdigest()[:8]}"
    file = folder / "wide.json"
    if not file.exists():
        rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = [sys.executable, "-m", "benchmarks.swap.models", str(folder)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise cases.NotBuilt(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stderr[-1000:]}")
    return read(file)


def built(options: argparse.Namespace) -> list[Case]:
    """The models to swap. Raises NotBuilt."""
    work = options.work.resolve()
    if options.taxi is not None:
        return [cases.build("taxi", work, options.taxi.resolve().parent)[0]]
    return [cases.build("half_plus_two", work, None)[0], wide(work)]


def arguments() -> argparse.ArgumentParser:
    plan = Plan()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.swap", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=plan.seconds, help="with swaps, and as many without (default %(default)g)")
    parser.add_argument("--swaps", type=int, default=plan.swaps, metavar="N", help="versions that are published (default %(default)s)")
    parser.add_argument("--rate", type=float, default=plan.rate, help="requests a second over each of REST and gRPC (default %(default)g)")
    parser.add_argument("--rounds", type=int, default=plan.rounds, metavar="N", help="blocks with and without (default %(default)s)")
    parser.add_argument("--poll", type=float, default=1.0, metavar="SECONDS", help="the server's poll interval (default %(default)g)")
    parser.add_argument("--flags", type=shlex.split, default=[], help="further flags of the server, in one argument")
    parser.add_argument("--taxi", type=Path, metavar="DIR", help="swap the taxi model of this folder of a store instead of the built ones")
    parser.add_argument("--work", type=Path, default=default_work(), metavar="DIR", help="where models are built (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print values instead of text")
    return parser


def main() -> int:
    parser = arguments()
    options = parser.parse_args()
    for name in ("seconds", "swaps", "rate", "rounds", "poll"):
        if not getattr(options, name) > 0:
            parser.error(f"--{name} {getattr(options, name)}: more than 0")
    if options.seconds / options.swaps < CLOSEST:
        parser.error(f"--swaps {options.swaps}: more than one in {CLOSEST:g} s; --seconds {options.swaps * CLOSEST:g} or more")
    end_when_told()
    adopt_orphans()
    plan = Plan(options.seconds, options.swaps, options.rate, options.rounds)
    try:
        measured = [measure(case, plan, Settings(options.poll, options.flags)) for case in built(options)]
    except (cases.NotBuilt, ask.NotServed, NotMeasured) as failure:
        print(f"benchmarks.swap: {failure}", file=sys.stderr)
        return 1
    print(json.dumps([one.as_json() for one in measured], indent=2) if options.json else "\n\n".join(one.as_text() for one in measured))
    return 0 if all(holds for one in measured for _, holds, _ in one.verdicts()) else 1


if __name__ == "__main__":
    sys.exit(main())
