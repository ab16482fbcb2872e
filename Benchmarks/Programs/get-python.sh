#!/bin/sh
# Puts AWS's runtime client with numpy and boto3 at OUT/python3.x, for functions in the machine's own Python. Once.
set -eu
out=$1
version=$(/usr/bin/python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
wanted="awslambdaric==4.2.2 numpy==2.4.6 boto3==1.43.11"
if [ "$(cat "$out/complete" 2>/dev/null)" = "$wanted" ]; then exit 0; fi
rm -rf "$out"
mkdir -p "$out"
/usr/bin/python3 -m venv "$out/venv"
"$out/venv/bin/python" -m pip install --quiet --disable-pip-version-check --target "$out/$version" $wanted
echo "$wanted" >"$out/complete"
