#!/bin/sh
# The payments example from end to end: a private node, the functions of template.yaml, payments as files and as
# messages, some of them twice, and a check of what came of it beside the legacy chain.
#
#   COUNT=40  how many payments
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
forkless=${FORKLESS:-$root/.build/release/forkless}
out=${OUT:-$root/.build/examples/payments}
python=${PYTHON:-/usr/bin/python3}
count=${COUNT:-40}

OUT=$out PYTHON=$python sh "$here/setup.sh"

work=$(mktemp -d)
export FORKLESS_STATE="$work/state" FORKLESS_RUN="$work/run"

# Nothing is left: neither the private node and its keeper, found by their private directory, nor files.
clean_up() {
    status=$?
    trap '' EXIT INT TERM
    for executable in forkless forkless-keeper; do
        pids=$(pgrep -f "/$executable .*--run $work/run" || true)
        [ -z "$pids" ] || kill $pids 2>/dev/null || true
        for pid in $pids; do
            while [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do sleep 0.05; done
        done
    done
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$python" "$here/message.py" "$count" "$work/messages"

echo "The legacy chain: $count payments, three programs for each, one after the other."
PYTHONPATH="$out/validator/python:$out/numbers/python" "$python" "$here/legacy/chain.py" \
    "$python $out/validator/python/bin/cbpr-validate" "$work/legacy.db" "$work"/messages/*.xml

echo
echo "The same programs as functions."
"$forkless" node --detach --lambda-listen off --http-listen off --python-runtimes "$out/runtimes"
"$forkless" fn deploy --template "$here/template.yaml" --parameter-overrides Data="$work/data" Layers="$out" \
    Python="$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')"

echo
# Half of the accounts send files, the other half messages; each account keeps to one way, in which it has an order.
began=$(date +%s%N)
number=0
files="" messages=""
for message in "$work"/messages/*.xml; do
    case $((number % 4)) in 0 | 1) files="$files $message" ;; *) messages="$messages $message" ;; esac
    number=$((number + 1))
done
for message in $files; do
    # As whoever delivers files does: under another name until it is complete.
    cp "$message" "$work/data/inbox/.arriving"
    mv "$work/data/inbox/.arriving" "$work/data/inbox/$(basename "$message")"
done
"$python" "$here/send.py" "$work/run/lambda.sock" $messages

# Once more: four payments the other way, and one message twice.
set -- "$work"/messages/*.xml
again=$3
"$python" "$here/send.py" "$work/run/lambda.sock" "$1" "$2" "$again"
cp "$again" "$work/data/inbox/again-1.xml"
cp "$4" "$work/data/inbox/again-2.xml"
repeats=5

refused() { ls "$work/data/refused" 2>/dev/null | grep -c '\.json$' || true; }
rows() { "$python" -c 'import sqlite3, sys
try: print(sum(sqlite3.connect(sys.argv[1]).execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("payments", "repeats")))
except sqlite3.OperationalError: print(0)' "$work/data/book/book.db"; }
waited=0
while [ $(($(rows) + $(refused))) -lt $((count + repeats)) ]; do
    waited=$((waited + 1))
    if [ "$waited" -gt 600 ]; then
        echo "only $(rows) and $(refused) refused of $((count + repeats)) payments came through" >&2
        for name in receive validate score book; do "$forkless" fn logs -n 20 $name >&2 || true; done
        cat "$work"/data/refused/* >&2 2>/dev/null || true
        exit 1
    fi
    sleep 0.1
done
echo "$((count + repeats)) payments went through in $((($(date +%s%N) - began) / 1000000)) ms, $repeats of them repeats."
echo
"$forkless" fn list
echo
"$python" "$here/check.py" "$work/data/book/book.db" "$work/legacy.db" "$work/data/refused" "$count" "$repeats"
