#!/bin/sh
# Builds .venv from uv.lock with a Python that fits this machine, and does nothing when it is up to date.
#
#   ./bootstrap.sh                                        find a Python, build or refresh .venv
#   SLUICEWAY_PYTHON=/path/to/python3.x ./bootstrap.sh    use this one
#
# Exit codes: 0 ready, 1 the installation failed, 2 something is missing here (one line says what, and what to do).
set -eu
CDPATH='' cd -- "$(dirname -- "$0")"

UV_PIN=0.13.8    # what a private uv is installed as
UV_OLDEST=0.8    # what is accepted on PATH
STAMP=.venv/.sluiceway-stamp
LOCK=.bootstrap.lock

say() { printf 'sluiceway: %s\n' "$*" >&2; }
refuse() { say "$*"; exit 2; }

# --- up to date? (starts neither uv nor a Python) ---

here=$(pwd -P)
sums=$(cksum uv.lock pyproject.toml setup.py bootstrap.sh | tr '\n' ' ')
built_at='' built_from='' built_with='' built_for=''   # the four lines of the stamp

read_stamp() {
  [ -f "$STAMP" ] && { read -r built_at && read -r built_from && read -r built_with && read -r built_for; } <"$STAMP"
}

is_ready() {
  read_stamp && [ "$built_at" = "$here" ] && [ "$built_from " = "$sums" ] && [ -x "$built_with" ] && [ -x .venv/bin/python ] || return 1
  case "${SLUICEWAY_PYTHON:-}" in '' | "$built_with" | "${built_for#asked }") return 0 ;; *) return 1 ;; esac
}

# --- which Pythons does this machine accept? (the reason is the tags of TFX's wheels) ---

accepted_versions() {
  case "$(uname -s) $(uname -m)" in
    'Darwin arm64') machine='Apple silicon' versions='3.13 3.12 3.11' ;;
    'Linux x86_64')
      glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/^glibc //') || glibc=
      [ -n "$glibc" ] || refuse 'this Linux has no glibc, and TensorFlow is built for glibc only: use Debian, Ubuntu, Fedora or the like'
      machine="Linux with glibc $glibc"
      if at_least "$glibc" 2.39; then versions='3.13 3.12 3.11 3.10'; else versions='3.10'; fi ;;
    *) refuse "TFX has no packages for $(uname -s) $(uname -m): use Linux on x86_64 or a Mac with Apple silicon" ;;
  esac
}

# at_least 2.41 2.39: compares the first two parts as numbers.
at_least() {
  [ "${1%%.*}" -eq "${2%%.*}" ] || { [ "${1%%.*}" -gt "${2%%.*}" ]; return; }
  minor=${1#*.} minor=${minor%%[!0-9]*}
  [ "${minor:-0}" -ge "${2#*.}" ]
}

# probe PYTHON: "version headers|bare path" of the interpreter itself (never of a virtual environment around it), nothing when it does
# not run. A pyenv shim may be on PATH and fail, so nothing less than running it will do.
probe() {
  "$1" -c '
import os, sys, sysconfig
version = "%d.%d" % sys.version_info[:2]
path = sys.executable if sys.prefix == sys.base_prefix else os.path.join(sys.base_prefix, "bin", "python" + version)
headers = os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))
usual = sys.implementation.name == "cpython" and not sys.abiflags  # no debug and no free-threaded build: TFX has no wheels for them
print(version if usual else version + "-unusual", "headers" if headers else "bare", path)' 2>/dev/null </dev/null || true
}

# take PYTHON: true, with $python and $found_version set, when it runs, is accepted here and can compile an extension.
take() {
  found=$(probe "$1")
  found_version=${found%% *} python=${found#* * }
  [ -n "$found" ] || return 1
  case " $versions " in *" $found_version "*) ;; *) return 1 ;; esac
  case "$found" in *' headers '*) return 0 ;; esac
  bare=$python
  return 1
}

find_python() {
  bare=''
  if [ -n "${SLUICEWAY_PYTHON:-}" ]; then
    take "$SLUICEWAY_PYTHON" && return 0
    [ -n "$found" ] || refuse "SLUICEWAY_PYTHON=$SLUICEWAY_PYTHON does not run"
    [ -z "$bare" ] || refuse "SLUICEWAY_PYTHON=$SLUICEWAY_PYTHON has no Python.h: install its headers (Debian: python3-dev)"
    refuse "SLUICEWAY_PYTHON=$SLUICEWAY_PYTHON is Python $found_version; $machine takes $versions"
  fi
  for version in $versions; do take "python$version" && return 0; done
  for name in python3 python; do take "$name" && return 0; done
  for version in $versions; do
    for path in "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/$version".*/bin/python3; do
      [ -x "$path" ] && take "$path" && return 0
    done
  done
  python=''
  return 1
}

download_python() {
  newest=${versions%% *}
  "$uv" python install --quiet "$newest" >/dev/null 2>&1 || true
  downloaded=$("$uv" python find --managed-python "$newest" 2>/dev/null) || downloaded=''
  [ -n "$downloaded" ] && take "$downloaded" && return 0
  [ -z "$bare" ] || refuse "$bare would do but has no Python.h: install its headers (Debian: python3-dev) and run this again"
  refuse "no Python to build with: $machine takes $versions; install one (its package, or: pyenv install $newest) or name it in SLUICEWAY_PYTHON"
}

# --- uv: one from PATH, else a private one ---

find_uv() {
  for uv in uv .uv/bin/uv; do
    uv_version=$("$uv" --version 2>/dev/null </dev/null | sed -n 's/^uv \([0-9][0-9.]*\).*/\1/p') || uv_version=
    if [ -n "$uv_version" ] && at_least "$uv_version" "$UV_OLDEST"; then return 0; fi
  done
  for maker in ${python:+"$python"} python3 python ''; do
    "${maker:-false}" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 8))' 2>/dev/null </dev/null && break
  done
  [ -n "$maker" ] || refuse 'no uv, and no Python >= 3.8 that can make virtual environments to install it in: install python3-venv (or uv)'
  say "installing a private uv $UV_PIN in .uv"
  rm -rf .uv .uv.new   # built aside and renamed, so .uv is whole or absent
  "$maker" -m venv .uv.new >&2 || { say "$maker could not make a virtual environment (above)"; exit 1; }
  .uv.new/bin/python -m pip install --quiet --disable-pip-version-check "uv==$UV_PIN" >&2 || { say 'pip could not install uv (above)'; exit 1; }
  mv .uv.new .uv
  uv=.uv/bin/uv
}

# --- build ---

build() {
  accepted_versions
  command -v g++ >/dev/null 2>&1 || command -v c++ >/dev/null 2>&1 ||
    refuse 'no C++ compiler, and pyfarmhash (for TensorFlow Data Validation) must be compiled: install one (Debian: g++)'
  if find_python; then find_uv; else find_uv; download_python; fi
  say "building .venv with Python $found_version ($python); the first time this fetches about 1.5 GB"
  # Without a stamp an installation was cut short and a package may be half there; in a moved checkout bin/ names the old place.
  # Both start from nothing (uv keeps what it fetched).
  if ! read_stamp || [ "$built_at" != "$here" ]; then rm -rf .venv; fi
  rm -f "$STAMP"
  quiet=--quiet
  if [ -t 2 ]; then quiet=''; fi
  unset VIRTUAL_ENV
  UV_PROJECT_ENVIRONMENT=.venv UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-300}" \
    "$uv" sync --frozen --all-extras ${quiet:+"$quiet"} --python "$python" >&2 ||
    { say 'uv sync failed (above); what it fetched is kept, so run this again'; exit 1; }
  printf '%s\n' "$here" "$sums" "$python" "asked ${SLUICEWAY_PYTHON:-}" >"$STAMP.new"
  mv "$STAMP.new" "$STAMP"
  say '.venv is ready'
}

is_ready && exit 0
# One at a time. Where there is no flock (macOS), uv's own lock on the environment has to do.
exec 9>"$LOCK"
if command -v flock >/dev/null 2>&1; then flock -n 9 || { say 'waiting for another bootstrap.sh'; flock 9; }; fi
is_ready || build
