#!/bin/sh
# Sets this checkout up: finds a Python, hands over to bootstrap.py. Run again at any time; it goes on where it stopped.
set -u
cd "$(dirname "$0")/.." || exit 1

# Asked by running it: a version manager may put names on the PATH that answer with an error.
fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))'
whole='import ensurepip, venv'
half=''
for python in ${PYTHON:-python3.11 python3.12 python3.13 python3.14 python3 python}; do
    "$python" -c "$fits" 2>/dev/null || continue
    "$python" -c "$whole" 2>/dev/null && exec "$python" deploy/bootstrap.py "$@"
    half=$python
done
if [ -n "$half" ]; then
    echo "moodwire: $half cannot make virtual environments; install its venv package (Debian, Ubuntu: apt-get install $half-venv)." >&2
else
    echo "moodwire: no Python 3.11 to 3.14 found; install one (Debian, Ubuntu: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python3.11" >&2
fi
exit 1
