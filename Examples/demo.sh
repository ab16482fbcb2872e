#!/bin/sh
# The demonstration: a legacy risk system that forks and execs a pricer for every trade, then the same trades on the
# rungs of the ladder, in one table. `make demo` runs it; every figure is measured in this run.
#
#   TRADES=200      how many trades
#   CACHE_MIB=2048  how much market data the legacy engine holds: what fork has to copy the page tables of
#   PAYMENTS=40     how many payments
#   REPORT=FILE     where the comparison goes as a page, too
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
programs=${PROGRAMS:-$root/.build/release}
examples=${EXAMPLES:-$root/.build/examples}
trades=${TRADES:-200}
cache_mib=${CACHE_MIB:-2048}

work=$(mktemp -d)
run=$work/run
# Not the usual one, where the user's own node may serve.
kube_port=${KUBE_PORT:-16443}

# Nothing is left: neither the private node and its keeper, found by their private directory, nor files.
clean_up() {
    status=$?
    trap '' EXIT INT TERM
    rm -f "$work/loaded"
    [ -z "${load:-}" ] || wait "$load" || true
    # Pods would go on without a node, and so would their network.
    if [ -n "${service:-}" ]; then
        api -o /dev/null -X DELETE "$address/apis/apps/v1/namespaces/default/deployments/pricer?gracePeriodSeconds=1" || true
        for _ in $(seq 100); do
            api "$address/api/v1/namespaces/default/pods" | grep -q '"items":\[\]' && break
            sleep 0.1
        done
    fi
    for executable in forkless forkless-keeper; do
        pids=$(pgrep -f "/$executable .*--run $run" || true)
        [ -z "$pids" ] || kill $pids 2>/dev/null || true
        for pid in $pids; do
            while [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do sleep 0.05; done
        done
    done
    # What is mounted below goes first: a shim that was not rolled back, and where originals stay reachable.
    awk -v below="$work/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | while read -r place; do
        umount -l "$place" || exit 1
    done && rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Twice the cache: the comparison holds as much in a parent of its own, and there should be room around it.
available_mib=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
if [ "$available_mib" -lt $((cache_mib + cache_mib / 2 + 256)) ]; then
    echo "demonstrate with $cache_mib MiB of market data: only $available_mib MiB of memory are free." >&2
    echo "Say less, for example: make demo CACHE_MIB=$((available_mib / 3))" >&2
    exit 1
fi

echo "1. The legacy system: $trades trades, one fork and exec each, from a parent with $cache_mib MiB of market data."
echo
"$examples/make-trades" "$trades" 1 >"$work/trades.csv"
"$examples/risk-engine" --cache-mib "$cache_mib" --workers 1 --trades "$work/trades.csv" \
    --results "$work/results.csv" --timing "$work/timing.csv" --pricer "$examples/pricer"

echo
echo "2. A private node, in directories of its own."
# AWS's runtime client, for the rungs on which the pricer runs in a Python handler; the payments need it, too.
OUT="$examples/payments" sh "$root/Examples/payments/setup.sh"
"$programs/forkless" node --detach --state "$work/state" --run "$run" --kubernetes-listen "127.0.0.1:$kube_port" \
    --python-runtimes "$examples/payments/runtimes"

# The pricer as a service, declared to the node's Kubernetes API: two replicas behind one address. Root makes its network.
service=""
if [ "$(id -u)" -eq 0 ]; then
    "$programs/forkless" pack --state "$work/state" --run "$run" --no-proof -t pricer:1 --include "$examples/served" \
        "$examples/pricer" >/dev/null
    authority=$work/state/kubernetes/authority
    api() {
        curl -sS --fail-with-body --max-time 30 --cacert "$authority/ca.crt" \
            -H "Authorization: Bearer $(cat "$authority/admin.token")" -H "Content-Type: application/yaml" "$@"
    }
    address=https://127.0.0.1:$kube_port
    api -o /dev/null --data-binary @- "$address/apis/apps/v1/namespaces/default/deployments" <<END
apiVersion: apps/v1
kind: Deployment
metadata: {name: pricer}
spec:
  replicas: 2
  selector: {matchLabels: {app: pricer}}
  template:
    metadata: {labels: {app: pricer}}
    spec:
      containers:
      - name: pricer
        image: pricer:1
        imagePullPolicy: Never
        command: ["$examples/served", "7000", "$examples/pricer"]
        readinessProbe: {tcpSocket: {port: 7000}, periodSeconds: 1}
END
    api -o /dev/null --data-binary @- "$address/api/v1/namespaces/default/services" <<END
apiVersion: v1
kind: Service
metadata: {name: pricer}
spec: {selector: {app: pricer}, ports: [{port: 7000}]}
END
    until api "$address/apis/apps/v1/namespaces/default/deployments/pricer" | grep -q '"readyReplicas":2'; do sleep 0.1; done
    service=$(api "$address/api/v1/namespaces/default/services/pricer" | sed 's/.*"clusterIP":"\([^"]*\)".*/\1/'):7000
    echo "two replicas of the pricer are ready behind $service"
fi

echo
echo "3. The same trades on every rung: the pricer is the same file, and every result is compared with the legacy one."
echo
"$programs/forkless" compare --run "$run" --each-line --parent-memory "${cache_mib}m" ${service:+--service "$service" --service-deployment pricer} \
    --measured "legacy=$work/timing.csv" --expect "$work/results.csv" ${REPORT:+--html "$REPORT"} \
    -- "$examples/pricer" <"$work/trades.csv"

echo
echo "4. Payments: an unchanged validator, a scorer and a booking step as functions, beside the chain of programs they were."
echo
FORKLESS="$programs/forkless" OUT="$examples/payments" COUNT="${PAYMENTS:-40}" sh "$root/Examples/payments/run.sh"

if [ "$(id -u)" -ne 0 ]; then
    echo
    echo "5. Shifting the pricer under the running system needs root: shims are mounted over programs. Skipped."
    exit 0
fi

echo
echo "5. The pricer is shifted under the legacy system while it runs: measure, shadow, canary, full, and back."
echo
# A copy, so that nothing but this demonstration calls it.
cp "$examples/pricer" "$work/pricer"
: >"$work/loaded"
echo 0 >"$work/runs"
(
    runs=0
    while [ -e "$work/loaded" ]; do
        "$examples/risk-engine" --cache-mib 16 --workers 2 --trades "$work/trades.csv" --results "$work/now.csv" \
            --pricer "$work/pricer" >/dev/null 2>>"$work/complaints" || echo failed >>"$work/failures"
        cmp -s "$work/results.csv" "$work/now.csv" || echo different >>"$work/failures"
        runs=$((runs + 1))
        echo $runs >"$work/runs.new" && mv "$work/runs.new" "$work/runs"
    done
) &
load=$!

# Until the system has priced the whole book twice in the stage that was just begun.
twice() {
    until=$(($(cat "$work/runs") + 3))
    while [ "$(cat "$work/runs")" -lt "$until" ]; do sleep 0.1; done
}

shift_to() { "$programs/forkless" shift "$work/pricer" --state "$work/state" --run "$run" "$@" && twice; }

twice
shift_to --mode measure
# Whatever this shell was started with, the pricer needs no descriptors but its streams.
shift_to --mode shadow --to standby --drop-descriptors
shift_to --mode canary --percent 25 --to standby --drop-descriptors
shift_to --mode full --to standby --drop-descriptors
"$programs/forkless" shift rollback "$work/pricer" --state "$work/state" --run "$run"
twice
rm "$work/loaded"
wait "$load"
echo
"$programs/forkless" shift status --state "$work/state" --run "$run"
echo
"$programs/forkless" shift history "$work/pricer" --state "$work/state" --run "$run"
echo
"$programs/forkless" shift report "$work/pricer" --state "$work/state" --run "$run"
echo
priced=$(($(cat "$work/runs") * trades))
if [ -e "$work/failures" ]; then
    echo "$priced trades were priced meanwhile; runs that failed or brought another result:" >&2
    sort "$work/failures" | uniq -c >&2
    tail -n 5 "$work/complaints" >&2
    exit 1
fi
echo "$priced trades were priced meanwhile: none failed, and every result is the one of before."
