"""What batching tells those who measure it."""

from __future__ import annotations


class BatchObserver:
    """Does nothing; what wants to know overrides methods. They are called from many threads, on the way of a request: be quick."""

    def input_batch_size(self, model: str, rows: int) -> None:
        """A request arrived."""

    def queuing_latency(self, model: str, microseconds: float) -> None:
        """A request, or a piece of one, leaves its queue after so long."""

    def padding_size(self, model: str, rows: int, batch_rows: int) -> None:
        """A batch is padded with so many rows, often 0, to ``batch_rows``."""

    def processed_batch_size(self, model: str, rows: int) -> None:
        """A batch has so many rows with its padding."""

    def wrapped_run_count(self, model: str) -> None:
        """A batch is about to be run by the model."""
