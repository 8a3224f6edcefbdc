"""What BatchingParameters mean for one queue, once they are known to make sense."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from serving.protocol.status import invalid
from serving.server.batching_parameters import BatchingParameters


@dataclass(frozen=True)
class Limits:
    """How batches are formed: sizes are rows, ``timeout_seconds`` counts from the first request of a batch."""

    max_request: int
    max_batch: int
    max_enqueued_batches: int
    timeout_seconds: float
    splits: bool
    allowed: tuple[int, ...] = ()

    def padded(self, rows: int) -> int:
        """The size that a batch of so many rows is run with. Nothing can be repeated to fill up an empty batch."""
        if rows == 0:
            return 0
        return next((size for size in self.allowed if size >= rows), rows)


def limits_of(parameters: BatchingParameters, *, strict: bool) -> Limits:
    """The limits that the parameters ask for.

    Raises StatusError (INVALID_ARGUMENT) for parameters with which TF Serving would not load a model, and unless ``strict`` for allowed
    sizes that are not positive and growing, of which TF Serving would silently never use some.
    """
    _check_sizes(parameters, strict)
    if parameters.max_batch_size < 1:
        raise invalid(f"input_batch_size_limit must be positive; was {parameters.max_batch_size}")
    if parameters.batch_timeout_micros < 0:
        raise invalid(f"batch_timeout_micros must be non-negative; was {parameters.batch_timeout_micros}")
    splits = parameters.enable_large_batch_splitting
    batches = parameters.max_enqueued_batches
    if batches == 0 and not splits:
        batches = 1  # upstream's own leniency: models that see little traffic came to rely on it
    if batches < 1:
        raise invalid(f"max_enqueued_batches must be positive; was {batches}")
    return Limits(
        max_request=parameters.max_batch_size,
        max_batch=_execution_size(parameters) if splits else parameters.max_batch_size,
        max_enqueued_batches=batches,
        timeout_seconds=parameters.batch_timeout_micros / 1e6,
        splits=splits,
        allowed=parameters.allowed_batch_sizes,
    )


def _check_sizes(parameters: BatchingParameters, strict: bool) -> None:
    sizes = parameters.allowed_batch_sizes
    if not sizes:
        return
    if sizes[-1] != parameters.max_batch_size:
        raise invalid(
            f"Last entry in allowed_batch_sizes must match max_batch_size; last entry was {sizes[-1]}; expected {parameters.max_batch_size}"
        )
    if not strict and (sizes[0] < 1 or any(later <= earlier for earlier, later in pairwise(sizes))):
        raise invalid(f"allowed_batch_sizes entries must be positive and monotonically increasing; were {', '.join(map(str, sizes))}")


def _execution_size(parameters: BatchingParameters) -> int:
    size = parameters.max_execution_batch_size
    if size is None:
        return parameters.max_batch_size
    if size < 1:
        raise invalid(f"max_execution_batch_size must be positive; was {size}")
    if size > parameters.max_batch_size:
        raise invalid(
            "When enable_large_batch_splitting is true, input_batch_size_limit must be greater than or equal to max_execution_batch_size; "
            f"they were {parameters.max_batch_size} and {size}"
        )
    return size
