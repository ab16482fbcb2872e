#!/bin/sh
# Puts AWS's runtime interface emulator, which ships inside PyPI's aws-sam-cli, at OUT. What it is compared with is
# downloaded by whoever measures and is no part of Forkless.
set -eu
out=$1
[ ! -x "$out" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download -q --no-deps -d "$work" aws-sam-cli==1.170.0
python3 - "$work"/*.whl "$out" <<'END'
import os, sys, zipfile
wheel, out = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive, open(out, "wb") as file:
    file.write(archive.read("samcli/local/rapid/aws-lambda-rie-x86_64"))
os.chmod(out, 0o755)
END
