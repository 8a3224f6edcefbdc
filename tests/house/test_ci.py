"""What .ci/run promises: scripts that parse, refusals of one line, and no test that is skipped in silence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import NOT_HERE
from tests.house.tree import ROOT, plant

SCRIPTS = sorted((ROOT / ".ci").iterdir())
SKIPS = {
    "call": 'def test_it():\n    pytest.skip("WHY")\n',
    "fixture": '@pytest.fixture\ndef it():\n    pytest.skip("WHY")\n\n\ndef test_it(it):\n    pass\n',
    "mark": '@pytest.mark.skip(reason="WHY")\ndef test_it():\n    pass\n',
    "module": 'pytest.skip("WHY", allow_module_level=True)\n',
}


def ended(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """How pytest ends on a folder with our conftest.py."""
    (folder / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "SLUICEWAY_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(folder), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env={**own, **environment}, timeout=120, check=False)


@pytest.mark.parametrize("kind", SKIPS)
def test_a_skip_fails_in_ci_and_says_why(tmp_path, kind):
    plant(tmp_path, {"test_it.py": "import pytest\n\n\n" + SKIPS[kind].replace("WHY", "nothing to ask")})
    here = ended(tmp_path)
    assert here.returncode == (5 if kind == "module" else 0), here.stdout
    in_ci = ended(tmp_path, SLUICEWAY_CI="1")
    assert in_ci.returncode in (1, 2), in_ci.stdout
    assert "SLUICEWAY_CI allows no skip: nothing to ask" in in_ci.stdout


def test_what_this_stack_cannot_mean_may_be_skipped_in_ci(tmp_path):
    plant(tmp_path, {"test_it.py": "import pytest\n\n\n" + SKIPS["call"].replace("WHY", f"{NOT_HERE}it has no such thing")})
    assert ended(tmp_path, SLUICEWAY_CI="1").returncode == 0


def test_an_expected_failure_is_no_skip(tmp_path):
    plant(tmp_path, {"test_it.py": "import pytest\n\n\n@pytest.mark.xfail\ndef test_it():\n    raise ValueError\n"})
    assert ended(tmp_path, SLUICEWAY_CI="1").returncode == 0


def test_what_needs_no_second_stack_is_left_out_of_the_second_half_and_of_nothing_else(tmp_path):
    plant(tmp_path, {"test_it.py": "import pytest\n\n\n@pytest.mark.once\ndef test_slow():\n    pass\n\n\ndef test_it():\n    pass\n"})
    assert "2 passed" in ended(tmp_path, SLUICEWAY_CI="1").stdout
    again = ended(tmp_path, SLUICEWAY_CI="again").stdout
    assert "1 passed, 1 deselected" in again


def test_code_that_ends_the_process_does_not_end_the_tests_in_silence(tmp_path):
    plant(tmp_path, {"test_it.py": "import os\n\n\ndef test_it():\n    os._exit(0)\n\n\ndef test_next():\n    pass\n"})
    done = ended(tmp_path)
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_bash_without_complaints(script):
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert script.stat().st_mode & 0o111 == 0o111
    if checker := shutil.which("shellcheck"):
        subprocess.run([checker, str(script)], check=True)


@pytest.mark.parametrize("arguments", [["run"], ["debian13", "make", "FOLDER"], ["docker", "start", "FOLDER"]], ids=" ".join)
def test_whoever_is_not_root_is_told_in_one_line(tmp_path, arguments):
    # An id of 1000 as these scripts see it, whoever runs the tests.
    plant(tmp_path, {"id": "#!/bin/sh\necho 1000\n"})
    (tmp_path / "id").chmod(0o755)
    name, *rest = [argument.replace("FOLDER", str(tmp_path / "work")) for argument in arguments]
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([str(ROOT / ".ci" / name), *rest], capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "run this as root" in done.stderr or "run it as root" in done.stderr
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("arguments", [[], ["make"], ["dance", "FOLDER"]], ids=["none", "no folder", "unknown"])
@pytest.mark.parametrize("name", ["debian13", "docker"])
def test_a_wrong_call_is_one_line(tmp_path, name, arguments):
    if os.geteuid() != 0 and len(arguments) == 2:
        arguments = []
    given = [argument.replace("FOLDER", str(tmp_path)) for argument in arguments]
    done = subprocess.run([str(ROOT / ".ci" / name), *given], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


class Rehearsal:
    """A checkout whose .ci/run is the real one and whose stages only write down that they were called."""

    def __init__(self, folder: Path, *, broken: str = "nothing") -> None:
        self.calls, self.checkout, self.temporary = folder / "calls", folder / "checkout", folder / "temporary"
        stub = f'#!/bin/sh\necho "$(basename "$0") $*" >>"{self.calls}"\ncase "$(basename "$0") $*" in *"{broken}"*) exit 1 ;; esac\n'
        entered = f'{stub}[ "$1" != run ] || env | grep ^SLUICEWAY_ | sort >"{self.calls}.env"\n'
        scripts = {"bootstrap.sh": stub, ".ci/debian13": entered, ".ci/docker": stub, "bin/make": stub, "bin/docker": stub}
        scripts |= {"bin/id": "#!/bin/sh\necho 0\n", "bin/debootstrap": "", ".venv/bin/python": "#!/bin/sh\necho Python\n"}
        scripts |= {"bin/mktemp": f'#!/bin/sh\nmkdir -p "{self.temporary}" && echo "{self.temporary}"\n'}
        plant(self.checkout, {**scripts, ".ci/run": (ROOT / ".ci/run").read_text(encoding="utf-8"), "a file": ""})
        for name in [*scripts, ".ci/run"]:
            (self.checkout / name).chmod(0o755)
        subprocess.run(["git", "init", "--quiet"], cwd=self.checkout, check=True)

    def run(self, **more: str) -> tuple[int, list[str]]:
        """Its exit code and the stages it called."""
        outer = {name: value for name, value in os.environ.items() if not name.startswith("SLUICEWAY_")}
        environment = {**outer, "PATH": f"{self.checkout / 'bin'}{os.pathsep}{os.environ['PATH']}", **more}
        done = subprocess.run([self.checkout / ".ci/run"], env=environment, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, self.calls.read_text(encoding="utf-8").replace(str(self.temporary), "WORK").splitlines()


STAGES = [
    "bootstrap.sh ",
    "make --no-print-directory check",
    "debian13 make WORK",
    "docker start WORK",
    "docker build WORK",
    "docker image ls sluiceway/* --format {{.Repository}}  {{.Size}}",
    "make --no-print-directory test",
    "debian13 run WORK make --no-print-directory -C sluiceway test",
    "docker stop WORK",
]


def test_ci_does_everything_and_leaves_nothing(tmp_path):
    rehearsal = Rehearsal(tmp_path)
    assert rehearsal.run() == (0, STAGES)
    assert not rehearsal.temporary.exists()
    told = (tmp_path / "calls.env").read_text(encoding="utf-8").splitlines()
    assert {"SLUICEWAY_CI=again", "SLUICEWAY_TEST_SERVER_IMAGE=sluiceway/server:temporary"} <= set(told)


@pytest.mark.parametrize("broken", STAGES[:-1])
def test_a_stage_that_fails_ends_ci_and_leaves_nothing(tmp_path, broken):
    rehearsal = Rehearsal(tmp_path, broken=broken.partition(" WORK")[0].removesuffix(" "))
    code, calls = rehearsal.run()
    assert code != 0
    assert calls == [*STAGES[: STAGES.index(broken) + 1], "docker stop WORK"]
    assert not rehearsal.temporary.exists()


def test_a_folder_that_was_given_keeps_what_the_next_run_can_use(tmp_path):
    rehearsal = Rehearsal(tmp_path)
    plant(rehearsal.temporary, {"root/etc/debian_version": "13", "shared/left": ""})
    assert rehearsal.run(SLUICEWAY_CI_WORK=str(rehearsal.temporary)) == (0, STAGES)
    assert [path.name for path in rehearsal.temporary.iterdir()] == ["root"]
