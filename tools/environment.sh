#!/bin/sh
# Make (or reuse) a virtual environment and install into it.
# Usage: PYTHON=python3 sh tools/environment.sh FOLDER PIP_ARGUMENTS...
# Says in one line what is missing when it cannot.
set -eu

folder=$1
shift
python=${PYTHON:-python3}

fail() {
    printf 'bodypix: %s\n' "$*" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 ||
    fail "no '$python' found. Install Python 3.10 to 3.13, or name one: make PYTHON=/path/to/python3 ..."

found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') ||
    fail "'$python' does not run. Name another: make PYTHON=/path/to/python3 ..."
case $found in
3.10 | 3.11 | 3.12 | 3.13) ;;
*) fail "'$python' is Python $found, but bodypix needs 3.10 to 3.13. Name another: make PYTHON=python3.12 ..." ;;
esac

if [ ! -x "$folder/bin/python" ]; then
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        fail "Python $found has no 'venv' module. On Debian or Ubuntu: apt-get install python$found-venv"
    echo "bodypix: making $folder with Python $found"
    "$python" -m venv "$folder"
fi

echo "bodypix: installing into $folder: $*"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" ||
    fail "the installation failed (see above). It needs a package index; with a broken $folder, remove it and run again."
