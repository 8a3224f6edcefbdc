"""What libraries print goes to the log; what is meant for the person reaches the person."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FRAME = """
import ctypes, logging, os, subprocess, sys
from pathlib import Path
from pipeline.cli.noise import kept_in
print("before")
sys.stdout.flush()
try:
    with kept_in(Path(sys.argv[1]), verbose={verbose}) as screen:
{body}
finally:
    print("after")
    print("after err", file=sys.stderr)
"""
NOISE = """
os.write(1, b"from C to 1\\n")
os.write(2, b"from C to 2\\n")
libc = ctypes.CDLL(None)
libc.puts(b"from libc")
libc.fflush(None)
print("printed")
print("printed err", file=sys.stderr)
logging.getLogger("tfx").info("logged")
logging.getLogger("apache_beam").info("each bundle")
subprocess.run(["sh", "-c", "echo from a child; echo child err >&2"])
screen.out.write("for the person\\n")
screen.err.write("for the person's eyes\\n")
"""
NOISES = ["from C to 1", "from C to 2", "from libc", "printed", "printed err", "from a child", "child err"]


@pytest.fixture
def ran(tmp_path):
    """Runs a body inside kept_in in a process of its own: (exit code, stdout, stderr, log)."""

    def run(body, *, verbose=False):
        script = FRAME.format(verbose=verbose, body="\n".join(f"        {line}" for line in body.strip().splitlines()))
        log = tmp_path / "runs" / "log.txt"
        done = subprocess.run(
            [sys.executable, "-c", script, str(log)], capture_output=True, text=True, cwd=Path(__file__).parents[4], check=False
        )
        return done.returncode, done.stdout, done.stderr, log.read_text(encoding="utf-8")

    return run


def test_noise_goes_to_the_log_and_the_screen_reaches_the_person(ran):
    code, out, err, log = ran(NOISE)
    assert code == 0
    assert out == "before\nfor the person\nafter\n"
    assert err == "for the person's eyes\nafter err\n"
    for noise in NOISES:
        assert f"{noise}\n" in log
    assert "INFO tfx: logged" in log
    assert "each bundle" not in log
    assert "for the person" not in log


def test_with_verbose_noise_goes_to_stderr_and_stdout_stays_clean(ran):
    code, out, err, log = ran(NOISE, verbose=True)
    assert code == 0
    assert out == "before\nfor the person\nafter\n"
    for noise in [*NOISES, "for the person's eyes", "after err"]:
        assert f"{noise}\n" in err
    assert "INFO tfx: logged" in err
    assert "INFO apache_beam: each bundle" in err
    assert log == ""


@pytest.mark.parametrize("verbose", [False, True])
def test_an_error_is_in_the_log_with_its_traceback_and_goes_on(ran, verbose):
    code, out, err, log = ran("os.write(2, b'noise\\n')\nraise RuntimeError('it broke')", verbose=verbose)
    assert code == 1
    assert out == "before\nafter\n"
    assert "Traceback" in log
    assert "RuntimeError: it broke" in log
    assert "RuntimeError: it broke" in err


def test_a_second_run_adds_to_the_log(ran):
    ran("print('first')")
    log = ran("print('second')")[-1]
    assert log == "first\nsecond\n"


def test_texts_are_written_as_utf_8(ran):
    _, out, _, log = ran("screen.out.write('✓ Ü\\n')\nos.write(1, '☃'.encode())")
    assert "✓ Ü\n" in out
    assert log == "☃"


def test_what_is_logged_afterwards_is_shown_no_more_than_before(ran):
    body = """
import atexit
logging.getLogger("tfx").info("logged")
atexit.register(lambda: logging.getLogger("httpx").info("a request"))
atexit.register(lambda: logging.getLogger("httpx").warning("a warning"))
"""
    _, _, err, log = ran(body)
    assert err == "after err\na warning\n"
    assert "logged" in log
