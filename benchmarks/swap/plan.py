"""When what happens: requests at a steady rate, and new versions in every second block of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

STEADY, SWAPS = "steady", "swaps"
TRANSPORTS = ("REST", "gRPC")


@dataclass(frozen=True)
class Plan:
    """``seconds`` without and as many with ``swaps`` new versions, cut into ``rounds`` blocks of each that take turns.

    Blocks take turns so that whatever else the machine does meets both. All times are seconds from the first request.
    """

    seconds: float = 60.0
    swaps: int = 20
    rate: float = 100.0
    """Requests a second over each transport."""
    rounds: int = 5
    warm_up: float = 3.0
    """Seconds of requests that nobody looks at."""

    @property
    def block(self) -> float:
        """Length of a block."""
        return self.seconds / self.rounds

    @property
    def end(self) -> float:
        """When the last block ends."""
        return self.warm_up + 2 * self.seconds

    def phase(self, time: float) -> str | None:
        """STEADY, SWAPS, or None for what is not looked at."""
        if not self.warm_up <= time < self.end:
            return None
        return SWAPS if int((time - self.warm_up) / self.block) % 2 else STEADY

    def publications(self) -> list[float]:
        """When versions are published: evenly over the blocks with swaps, the first at the beginning of one."""
        within = (number * self.seconds / self.swaps for number in range(self.swaps))
        return [self.warm_up + time + self.block * (int(time / self.block + 1e-9) + 1) for time in within]

    def arrivals(self) -> Iterator[tuple[float, str]]:
        """When which transport is asked, in order. The transports take turns, so that one's requests do not meet the other's."""
        for number in range(round(self.end * self.rate)):
            for place, transport in enumerate(TRANSPORTS):
                yield (number + place / len(TRANSPORTS)) / self.rate, transport
