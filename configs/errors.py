"""The root of every error that a person may meet, and the exit code each one ends a command with.

    SluicewayError            1  our failure: something here did not work
    +-- UsageError            2  the caller can mend it: a wrong value, a missing file, an unknown name
        +-- ConfigError       2  a configuration file or an override

The packages above add their own branches (``serving/errors.py``, ``pipeline/errors.py``); every branch keeps one of the
exit codes below, so a command maps an error to its end by ``error.exit_code`` alone.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ends. The numbers are a public contract: scripts and schedulers branch on them."""

    DONE = 0
    FAILURE = 1
    USAGE = 2
    REFUSED = 3
    ROLLED_BACK = 4


class SluicewayError(Exception):
    """Something here failed. The message is one line: what, which value, what to do next."""

    exit_code: ExitCode = ExitCode.FAILURE


class UsageError(SluicewayError):
    """The caller asked for something that cannot be; nothing was changed."""

    exit_code = ExitCode.USAGE


class ConfigError(UsageError):
    """A configuration value is wrong. The message names the file, the key, the value and what is allowed."""
