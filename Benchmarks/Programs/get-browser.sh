#!/bin/sh
# Puts a Python with selenium at OUT, which drives Debian's chromium. Once.
set -eu
out=$1
wanted="selenium==4.51.0"
if [ "$(cat "$out/complete" 2>/dev/null)" = "$wanted" ]; then exit 0; fi
rm -rf "$out"
/usr/bin/python3 -m venv "$out"
"$out/bin/python" -m pip install --quiet --disable-pip-version-check "$wanted"
echo "$wanted" >"$out/complete"
