"""The same chain as it has been for decades: for each message, three programs one after the other, each forked and executed.

    chain.py VALIDATOR-COMMAND BOOK.db MESSAGE...        VALIDATOR-COMMAND is split at spaces

It runs the messages in the order in which they are named, and prints how long the calls took. The validator's status is
1 for a message that breaks the rules, which then is refused.
"""
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def run(command, text, accepted=(0,)):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, check=False)
    if done.returncode not in accepted:
        raise RuntimeError(f"{command} ended with status {done.returncode}")
    return done


def main():
    validator, book, messages = sys.argv[1].split(" "), sys.argv[2], sys.argv[3:]
    spans = []
    refused = 0
    for path in messages:
        with open(path, "rb") as file:
            text = file.read()
        began = time.perf_counter()
        checked = run(validator + ["validate", "--json", "/dev/stdin"], text, (0, 1))
        if checked.returncode == 0:
            decided = run([sys.executable, os.path.join(HERE, "score.py"), path], checked.stdout).stdout
            run([sys.executable, os.path.join(HERE, "book.py"), book], decided)
        refused += checked.returncode
        spans.append(time.perf_counter() - began)
    spans.sort()
    print(f"{len(spans)} payments, {refused} of them refused: p50 {spans[len(spans) // 2] * 1000:.0f} ms, "
          f"{len(spans) / sum(spans):.1f} a second")


main()
