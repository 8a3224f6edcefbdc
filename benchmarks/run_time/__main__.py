"""Measures side by side: `python -m benchmarks.run_time [--rounds 3] [--json]`. Run it on a machine that does nothing else."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.run_time.report import AGAIN, EXAMPLE, OURS, Report

DRIVER = Path(__file__).with_name("tfx_example.py")
SLUICEWAY = Path(sys.executable).with_name("sluiceway")
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}


class Failed(Exception):
    """A measured program did not do what it was measured for."""


def timed(command: Sequence[str], folder: Path) -> tuple[float, str]:
    """Wall seconds and standard output of a command that runs in a folder and must succeed; its noise goes to noise.log there."""
    with (folder / "noise.log").open("w+") as noise:
        start = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **QUIET},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=noise,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            noise.seek(0)
            last = "".join(noise.readlines()[-20:])
            raise Failed(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout[-2000:]}{last}")
    return seconds, done.stdout


def run_example(folder: Path, beam_arguments: str) -> float:
    """Seconds of TFX's example from rows to a pushed model, in a new folder."""
    seconds, _ = timed([sys.executable, str(DRIVER), str(folder), beam_arguments], folder)
    if not list(folder.glob("taxi/serving_model/*/*/saved_model.pb")):
        raise Failed("TFX's example ended well and pushed no model")
    return seconds


def run_ours(folder: Path, rows: Path, verdict: str, *options: str) -> float:
    """Seconds of `sluiceway run taxi`; its state is below the folder it runs in."""
    command = [str(SLUICEWAY), "run", "taxi", "--env", "local", "--data", str(rows), "--json", *options]
    seconds, output = timed(command, folder)
    said = json.loads(output)["verdict"]
    if said != verdict:
        raise Failed(f"sluiceway run taxi said {said!r}, expected {verdict!r}")
    return seconds


def one_round(number: int, beam_arguments: str, rows: Path) -> dict[str, float]:
    """One run of each, in new folders; every second round the other way round."""
    with TemporaryDirectory(prefix="run-time-") as name:
        theirs, ours = Path(name, "tfx"), Path(name, "sluiceway")
        theirs.mkdir()
        ours.mkdir()
        seconds: dict[str, float] = {}
        for which in (EXAMPLE, OURS) if number % 2 == 0 else (OURS, EXAMPLE):
            if which == EXAMPLE:
                seconds[EXAMPLE] = run_example(theirs, beam_arguments)
            else:
                seconds[OURS] = run_ours(ours, rows, "live", "--no-cache")
        seconds[AGAIN] = run_ours(ours, rows, "unchanged")
        return seconds


def shipped_rows() -> Path:
    """The CSV file that the tfx distribution ships for its example, found without importing it."""
    from importlib.util import find_spec

    spec = find_spec("tfx")
    if spec is None or spec.origin is None:
        raise Failed("the tfx distribution is not installed: make setup")
    return Path(spec.origin).parent / "examples" / "chicago_taxi_pipeline" / "data" / "simple" / "data.csv"


def measure(rounds: int, beam_arguments: str) -> Report:
    """All rounds, telling each on standard error."""
    rows = shipped_rows()
    load, measured = [], []
    for number in range(rounds):
        load.append(os.getloadavg()[0])
        measured.append(one_round(number, beam_arguments, rows))
        told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in measured[-1].items())
        print(f"round {number + 1} of {rounds}: {told}", file=sys.stderr, flush=True)
    with rows.open(encoding="utf-8") as file:
        count = sum(1 for line in file if line.strip()) - 1
    return Report(count, {name: [done[name] for done in measured] for name in (EXAMPLE, OURS, AGAIN)}, load)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run_time", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="runs of each (default 3)")
    parser.add_argument("--json", action="store_true", help="print values instead of a table")
    parser.add_argument(
        "--beam",
        choices=("none", "own"),
        default="none",
        help="Beam arguments of TFX's example: none (Beam's defaults; the faster, hence the fair one) or those it carries itself",
    )
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds}: at least 1")
    try:
        report = measure(options.rounds, options.beam)
    except Failed as failure:
        print(f"benchmarks.run_time: {failure}", file=sys.stderr)
        return 1
    print(json.dumps(report.as_json(), indent=2) if options.json else report.as_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
