"""What Python programs do with processes, from a parent with large memory. Prints the same with the library and without."""
import multiprocessing
import os
import pty
import signal
import subprocess
import sys

large = [bytearray(b"%07d|" % i * 131072) for i in range(96)]
objects = {i: "object %d" % i for i in range(200000)}


def executes():
    """os.fork and exec, always at the same place of the interpreter."""
    pid = os.fork()
    if pid == 0:
        try:
            os.execv("/bin/sh", ["sh", "-c", "exit 9"])
        finally:
            os._exit(127)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def in_child():
    os.setsid()
    os.umask(0o027)
    assert objects[199999] == "object 199999" and large[95][:8] == b"0000095|"
    os.environ["FROM_CHILD"] = "yes"


def run_preexec():
    script = "echo out; echo err >&2; umask; test $(ps -o sid= -p $$) -eq $$ && echo leader; exit 3"
    done = subprocess.run(["/bin/sh", "-c", script], preexec_fn=in_child, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr, "FROM_CHILD" in os.environ


def refuse():
    raise ValueError("not today")


def run_failing():
    results = []
    for arguments, options in [
        (["/no/such/program"], {"preexec_fn": in_child}),
        (["/etc/passwd"], {"preexec_fn": in_child}),
        (["/bin/true"], {"preexec_fn": refuse}),
        (["/bin/true"], {"cwd": "/no/such/place", "preexec_fn": in_child}),
    ]:
        try:
            subprocess.run(arguments, **options)
        except (OSError, subprocess.SubprocessError) as error:
            results.append(f"{type(error).__name__}: {error}")
    return results


def talk():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=os.getpid) as cat:
        output, _ = cat.communicate(bytes(large[7]))
    return output == large[7], cat.returncode


def time_out():
    try:
        subprocess.run(["sleep", "100"], preexec_fn=in_child, timeout=0.2)
    except subprocess.TimeoutExpired:
        return "timed out"


def square(i):
    return i * i + len(objects[i]) + large[i % 96][6]


def pool():
    context = multiprocessing.get_context("fork")
    with context.Pool(2) as workers:
        first = sum(workers.map(square, range(500)))
    queue = context.Queue()
    process = context.Process(target=lambda: queue.put(objects[17]))
    process.start()
    word = queue.get(timeout=60)
    process.join()
    return first, word, process.exitcode


def daemonize():
    reader, writer = os.pipe()
    if (pid := os.fork()) == 0:
        os.setsid()
        if os.fork() == 0:
            os.close(reader)
            os.write(writer, objects[4711].encode() + large[50][:8])
        os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    with os.fdopen(reader, "rb") as pipe:
        return pipe.read()


def terminal():
    pid, master = pty.fork()
    if pid == 0:
        os.execv("/bin/sh", ["sh", "-c", "tty > /dev/null && echo terminal"])
    text = os.read(master, 100)
    os.waitpid(pid, 0)
    os.close(master)
    return text


def killed():
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def shell():
    return os.system("exit 5") >> 8, os.popen("echo popen").read(), subprocess.getoutput("echo getoutput")


for name, round in [
    ("executes", executes), ("preexec", run_preexec), ("failing", run_failing), ("talk", talk), ("shell", shell),
    ("time out", time_out), ("terminal", terminal),
]:
    for _ in range(5):
        print(name, round(), flush=True)
# The same place of the interpreter, which has been seen to execute, and now does not.
for name, round in [("pool", pool), ("killed", killed), ("daemonize", daemonize), ("executes", executes), ("pool", pool)]:
    print(name, round(), flush=True)
