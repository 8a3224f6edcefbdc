"""Measures the gateway: `python -m benchmarks.gateway [--seconds 5] [--rounds 5] [--json]`. Run it on an idle machine; it needs h2load."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from benchmarks.gateway.measure import Plan, measure
from benchmarks.serve import ask, cases
from benchmarks.serve.__main__ import default_work
from benchmarks.serve.process import adopt_orphans, end_when_told
from benchmarks.serve.sample import NoSample
from configs.gateway import Limits

SHORTEST = 3
"""Seconds of a measurement, of which one is not looked at."""


def arguments() -> argparse.ArgumentParser:
    limits = Limits()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=5, help="of each of the five measurements of a round (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="(default %(default)s)")
    parser.add_argument("--swaps", type=int, default=10, metavar="N", help="versions published under load (default %(default)s)")
    parser.add_argument(
        "--concurrency", type=int, default=limits.concurrency, metavar="N", help="the gateway's limit (default %(default)s)"
    )
    parser.add_argument("--queue", type=int, default=limits.queue, metavar="N", help="the gateway's limit (default %(default)s)")
    parser.add_argument("--work", type=Path, default=default_work(), metavar="DIR", help="where the model is built (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print values instead of text")
    return parser


def main() -> int:
    parser = arguments()
    options = parser.parse_args()
    for name, least in (("seconds", SHORTEST), ("rounds", 1), ("swaps", 1), ("concurrency", 1), ("queue", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name} {getattr(options, name)}: at least {least}")
    if shutil.which("h2load") is None:
        parser.error("h2load is not installed (Debian: nghttp2-client)")
    end_when_told()
    adopt_orphans()
    plan = Plan(options.seconds, options.rounds, options.swaps, Limits(concurrency=options.concurrency, queue=options.queue))
    try:
        report = measure(cases.build("half_plus_two", options.work.resolve(), None)[0], plan)
    except (cases.NotBuilt, ask.NotServed, NoSample) as failure:
        print(f"benchmarks.gateway: {failure}", file=sys.stderr)
        return 1
    print(json.dumps(report.as_json(), indent=2) if options.json else report.as_text())
    return 0 if all(holds for _, holds, _ in report.verdicts()) else 1


if __name__ == "__main__":
    sys.exit(main())
