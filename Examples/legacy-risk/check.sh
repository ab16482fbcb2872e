#!/bin/sh
# Runs the system on small books and checks what it promises. Usage: OUT=build sh ./check.sh
set -eu
out=${OUT:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
expect() { # expect WHAT WANTED GOT
    if [ "$2" = "$3" ]; then echo "ok   $1"; else echo "FAIL $1: wanted \"$2\", got \"$3\""; failures=$((failures + 1)); fi
}
status() { "$@" >"$work/out" 2>"$work/err" && echo 0 || echo $?; }
price() { printf '%s' "$1" | status "$out/pricer"; }
engine() { status "$out/risk-engine" --cache-mib 4 "$@"; }

"$out/make-trades" 200 1 >"$work/trades.csv"
expect "the committed book is what make-trades 200 1 writes" "" "$(cmp "$work/trades.csv" trades.csv 2>&1 || true)"

# Textbook values: Hull, Options, Futures and Other Derivatives.
echo "H1,european-call,42,40,0.1,0.2,0.5,1" >"$work/trade"
expect "a call of Hull, section 15.8" "4.759422" "$("$out/pricer" <"$work/trade" | cut -d, -f3)"
echo "H2,european-put,42,40,0.1,0.2,0.5,1" >"$work/trade"
expect "its put" "0.808599" "$("$out/pricer" <"$work/trade" | cut -d, -f3)"
echo "H3,american-put,50,50,0.1,0.4,0.416667,1" >"$work/trade"
expect "an American put of Hull, section 21.1 (4.28)" "4.28" "$("$out/pricer" <"$work/trade" | cut -d, -f3 | cut -c1-4)"

expect "no trade: status 2" 2 "$(price "")"
expect "two lines: status 2" 2 "$(price "A,european-call,1,1,0.1,0.2,1,1
B,european-call,1,1,0.1,0.2,1,1
")"
expect "an unknown type: status 2" 2 "$(price "A,swap,1,1,0.1,0.2,1,1")"
expect "a field too many: status 2" 2 "$(price "A,european-call,1,1,0.1,0.2,1,1,9")"
expect "a field too few: status 2" 2 "$(price "A,european-call,1,1,0.1,0.2,1")"
expect "infinity: status 2" 2 "$(price "A,european-call,inf,1,0.1,0.2,1,1")"
expect "and a message" "pricer: malformed trade: the spot is a number from 0.0001 to 1e9: \"inf\"" "$(cat "$work/err")"

expect "a run ends with status 0" 0 \
    "$(engine --trades trades.csv --results "$work/one" --timing "$work/timing" --pricer "$out/pricer")"
expect "one result per trade" 200 "$(wc -l <"$work/one" | tr -d ' ')"
expect "results are in the order of the trades" "" "$(cut -d, -f1 trades.csv >"$work/a"; cut -d, -f1 "$work/one" | cmp - "$work/a" 2>&1 || true)"
expect "one timing per call and a heading" 201 "$(wc -l <"$work/timing" | tr -d ' ')"
expect "no call is shorter than its start" 0 "$(awk -F, 'NR > 1 && $2 < $1' "$work/timing" | wc -l | tr -d ' ')"
expect "four workers end with status 0" 0 \
    "$(engine --trades trades.csv --results "$work/four" --workers 4 --pricer "$out/pricer")"
expect "and give the same results" "" "$(cmp "$work/one" "$work/four" 2>&1 || true)"

fails() { # fails WHAT MESSAGE PRICER...
    what=$1 message=$2
    shift 2
    expect "$what: status 1" 1 "$(engine --trades trades.csv --results "$work/r" --workers 3 --pricer "$@")"
    expect "$what: says so" 1 "$(grep -c "trade 1: .*$message" "$work/err")"
}
fails "a missing pricer" "No such file" "$work/missing"
fails "a pricer that fails" "ended with status 1" /bin/false
fails "a pricer that says nothing" "exactly one line" /bin/true
fails "a pricer that is killed" "killed by signal 9" /bin/sh -c 'kill -9 $$'
fails "a pricer that never stops talking" "more than 1024 bytes" /usr/bin/yes
sed '3s/,.*/,nonsense/' trades.csv >"$work/bad.csv"
expect "a bad third trade: status 1" 1 "$(engine --trades "$work/bad.csv" --results "$work/r" --pricer "$out/pricer")"
expect "the two before it have results" 2 "$(wc -l <"$work/r" | tr -d ' ')"
expect "no trades file: status 1" 1 "$(engine --trades "$work/missing" --results "$work/r" --pricer "$out/pricer")"
expect "no pricer given: status 2" 2 "$(engine --trades trades.csv --results "$work/r")"
expect "no workers: status 2" 2 "$(engine --workers 0 --trades trades.csv --results "$work/r" --pricer "$out/pricer")"

[ "$failures" -eq 0 ] || { echo "$failures failed"; exit 1; }
