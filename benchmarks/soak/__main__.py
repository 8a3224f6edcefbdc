"""Prints the curve of the server's memory and the verdict: `python -m benchmarks.soak [--requests N] [--swaps N] [-- SERVER FLAGS]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.soak.run import Plan, curve, soaking
from benchmarks.soak.verdict import Sample, judge

_MIB = 2**20


def main() -> int:
    """0: flat; 1: it grows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="after the warm-up, half REST, half gRPC")
    parser.add_argument("--swaps", type=int, default=50, help="new versions of one model, spread over the requests")
    parser.add_argument("--warm-up", type=int, default=None, help="requests before the first look; default: a fifth of --requests")
    parser.add_argument("--limit", type=float, default=5.0, help="per cent of growth that is still flat")
    parser.add_argument("--threads", action="store_true", help="send from Python threads although h2load is there")
    parser.add_argument("flags", nargs="*", help="of the server, after --")
    chosen = parser.parse_args()
    plan = Plan(chosen.requests, chosen.swaps, chosen.requests // 5 if chosen.warm_up is None else chosen.warm_up)
    started = time.monotonic()

    def tell(sample: Sample) -> None:
        seconds = time.monotonic() - started
        print(f"{sample.requests:>9,} {sample.swaps:>6} {sample.memory / _MIB:>9.1f} {seconds:>8.0f}", flush=True)

    folder = tempfile.TemporaryDirectory(prefix="sluiceway-soak-")
    with folder, soaking(Path(folder.name), chosen.flags, plain=chosen.threads) as (sender, soak):
        print(f"server flags: {' '.join(chosen.flags) or 'none'}")
        print(f"warm-up: {plan.warm_up:,} requests, {plan.warm_up_swaps} swaps; sent with {sender}")
        print(f"{'requests':>9} {'swaps':>6} {'MiB':>9} {'seconds':>8}")
        verdict = judge(curve(soak, plan, tell), chosen.limit / 100)
    word = "flat" if verdict.flat else "IT GROWS"
    print(f"{word}: {verdict.growth:+.1%} (limit {chosen.limit:g} %), {verdict.per_request:+.0f} bytes a request")
    return 0 if verdict.flat else 1


if __name__ == "__main__":
    sys.exit(main())
