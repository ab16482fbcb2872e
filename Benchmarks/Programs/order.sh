#!/bin/sh
# Prints the order in which forkless-oci runs through its functions, for its link-order.txt: order.sh EXECUTABLE EXAMPLES
#
# EXECUTABLE has its symbols, EXAMPLES has noop, waiting and first-run. Root only.
set -eu
runtime=$1
examples=$2
directory=$(mktemp -d)
name=forkless-order-$$
call="$runtime --root $directory/state"
trap '$call delete --force $name; rm -rf "$directory"' EXIT

mkdir -p "$directory/rootfs"
cp "$examples/noop" "$examples/waiting" "$directory/rootfs"
"$runtime" spec --bundle "$directory"
change() {
    jq "$1" "$directory/config.json" > "$directory/new.json"
    mv "$directory/new.json" "$directory/config.json"
}
configure() { change ".process.terminal = false | .process.args = [\"$1\"]"; }
# What waits reads from a pipe that stays open.
mkfifo "$directory/held"
exec 3<> "$directory/held"
step() { "$examples/first-run" $call "$@" < "$directory/held" 3>&-; }

# What is started most comes first. Managers' configurations differ in what they leave out.
{
    configure /noop
    step run --bundle "$directory" "$name-run"
    change 'del(.process.rlimits) | del(.linux.namespaces[] | select(.type == "cgroup"))
        | .process.capabilities.ambient = .process.capabilities.permitted'
    step run --bundle "$directory" "$name-run"
    configure /waiting
    step create --bundle "$directory" "$name"
    step start "$name"
    step exec "$name" /noop
    step state "$name"
    step kill "$name" KILL
    until $call state "$name" | grep -q '"stopped"'; do sleep 0.1; done
    step delete "$name"
} | awk '!seen[$0]++'
