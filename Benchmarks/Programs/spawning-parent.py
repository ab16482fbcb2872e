"""A Python program with much memory that starts another again and again.

usage: spawning-parent.py MIB WAY COUNT PROGRAM    writes what each start took until the child was waited for, in ns
"""
import os
import subprocess
import sys
import time

mib, way, count, program = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
large = [bytearray(64 << 20) for _ in range(mib // 64)]
for block in large:  # every page is written, so that it is resident
    block[::4096] = b"x" * len(block[::4096])


def fork_and_exec():
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(program, [program])
        finally:
            os._exit(127)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def prepared():
    return subprocess.run([program], preexec_fn=os.setsid).returncode


def shell():
    return os.waitstatus_to_exitcode(os.system(program))


start = {"fork": fork_and_exec, "preexec": prepared, "system": shell}[way]
for _ in range(count):
    began = time.monotonic_ns()
    status = start()
    took = time.monotonic_ns() - began
    if status != 0:
        sys.exit(f"{program} ended with status {status}")
    print(took)
