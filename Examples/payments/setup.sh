#!/bin/sh
# Gets what the payments example needs from PyPI into OUT: the validator and numpy as layers, AWS's runtime client for
# the node. Done once; it is quick when everything is there.
#
#   OUT=DIR      by default .build/examples/payments of the project
#   PYTHON=FILE  an interpreter that programs in a sandbox see, too: by default /usr/bin/python3
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
out=${OUT:-$root/.build/examples/payments}
python=${PYTHON:-/usr/bin/python3}

version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
wanted="$python $version awslambdaric==4.2.2 cbpr-validate==1.2.0 numpy==2.4.6"
if [ "$(cat "$out/complete" 2>/dev/null)" = "$wanted" ]; then exit 0; fi

echo "Getting cbpr-validate, numpy and awslambdaric from PyPI into $out"
rm -rf "$out"
mkdir -p "$out"
"$python" -m venv "$out/venv"
get() { # get PLACE PACKAGE
    "$out/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile --target "$1" "$2"
}
get "$out/validator/python" cbpr-validate==1.2.0
get "$out/numbers/python" numpy==2.4.6
get "$out/runtimes/$version" awslambdaric==4.2.2
# Compiled ahead and not compared with the source's time: code of a function is read-only, and its times are lost.
"$python" -m compileall -q --invalidation-mode unchecked-hash \
    "$out/validator/python" "$out/numbers/python" "$out/runtimes/$version" || true
echo "$wanted" >"$out/complete"
