"""Runs a program directly and through a shim in many ways, and says where the two differ.

    contract.py DIRECT SHIM SUITE...

Each case prints "same NAME" or "differs NAME" with both sides. The exit status is 0 when all are the same.
"""
import ctypes, fcntl, os, pty, re, resource, signal, subprocess, sys, tempfile, time

DIRECT, SHIM = sys.argv[1], sys.argv[2]
# Set where targets answer: what they are documented not to keep is not looked at.
ELSEWHERE = bool(os.environ.get("ELSEWHERE"))
libc = ctypes.CDLL(None, use_errno=True)
failures = 0


def compare(name, run):
    """run(path) gives whatever is to be equal."""
    global failures
    try:
        one, other = run(DIRECT), run(SHIM)
    except Exception as problem:
        failures += 1
        print("differs", name, "raised", repr(problem), flush=True)
        return
    if one == other:
        print("same", name, flush=True)
        return
    failures += 1
    print("differs", name, flush=True)
    if isinstance(one, tuple) and isinstance(other, tuple):
        for left, right in zip(one, other):
            if left != right:
                a = left.decode(errors="replace").splitlines() if isinstance(left, bytes) else [repr(left)]
                b = right.decode(errors="replace").splitlines() if isinstance(right, bytes) else [repr(right)]
                for line in a[:4000]:
                    if line not in b: print("   direct:", line[:300])
                for line in b[:4000]:
                    if line not in a: print("   shim:  ", line[:300])
    else:
        print("   direct:", repr(one)[:500])
        print("   shim:  ", repr(other)[:500], flush=True)


def told(path, arguments=(), name="told", environment=None, prepare=None, keep=(), input=subprocess.DEVNULL, cwd=None, wait=True):
    """Runs the program, which tells into a file, and returns what it told and how it ended."""
    with tempfile.NamedTemporaryFile(delete=False) as file:
        pass
    os.chmod(file.name, 0o666)
    try:
        env = dict(environment if environment is not None else {"A": "1", "EMPTY": ""})
        env["TOLD_TO"] = file.name
        process = subprocess.Popen(
            [name, *arguments], executable=path, env=env, preexec_fn=prepare, pass_fds=keep, stdin=input,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd)
        output, errors = process.communicate(timeout=60)
        # The pipes are new for every run.
        text = open(file.name, "rb").read()
        lines = [line for line in text.splitlines() if not line.startswith((b"fd 1 ", b"fd 2 "))]
        if ELSEWHERE:
            # A target leads a group and a session of its own, and dies with who keeps it.
            lines = [re.sub(rb"(deathsig|nnp) \d+", b"", line) for line in lines if not line.startswith(b"leads ")]
        return (b"\n".join(lines), process.returncode, output, errors)
    finally:
        os.unlink(file.name)


# What a program is born with.

def words():
    compare("plain", lambda p: told(p))
    compare("argv[0] of another name", lambda p: told(p, name="-login shell"))
    compare("argv[0] empty", lambda p: told(p, name=""))
    compare("empty arguments", lambda p: told(p, ["", "", "x", ""]))
    compare("newlines in names", lambda p: told(p, ["a\nb", "\n"], environment={"N\nAME": "v\nw", "X": "\n"}))
    compare("bytes that are no text", lambda p: told(p, [b"\xff\xfe\x01"], environment={b"\xc3": b"\x80"}))
    compare("no environment", lambda p: told(p, environment={}))
    compare("2 MB of arguments", lambda p: told(p, ["x" * 100000 + str(i) for i in range(20)]))
    compare("many arguments", lambda p: told(p, [str(i) for i in range(60000)]))
    compare("a long environment", lambda p: told(p, environment={"E%d" % i: "v" * 1000 for i in range(1000)}))
    compare("no argv at all", empty_argv)
    compare("an environment without names", odd_environment)
    compare("/proc/self/exe", lambda p: same_exe(p))


def same_exe(path):
    text = told(path, environment={"TELL_EXE": "1"})[0].decode()
    return [line.split()[-1].split("/")[-1] for line in text.splitlines() if line.startswith("exe ")]


def fork_exec(path, argv, envp):
    """fork and execve with exactly these vectors."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(writer, 1)
        null = os.open("/dev/null", os.O_RDWR)
        os.dup2(null, 0); os.dup2(null, 2)
        os.closerange(3, 256)
        a = (ctypes.c_char_p * (len(argv) + 1))(*argv, None)
        e = (ctypes.c_char_p * (len(envp) + 1))(*envp, None)
        libc.execve(path.encode(), a, e)
        os._exit(120)
    os.close(writer)
    text = b""
    while True:
        part = os.read(reader, 65536)
        if not part: break
        text += part
    os.close(reader)
    status = os.waitpid(pid, 0)[1]
    lines = [l for l in text.splitlines() if not l.startswith(b"fd 1 ")]
    if ELSEWHERE: lines = [re.sub(rb"(deathsig|nnp) \d+", b"", l) for l in lines if not l.startswith(b"leads ")]
    return (b"\n".join(lines), status)


def empty_argv(path): return fork_exec(path, [], [b"A=1"])
def odd_environment(path): return fork_exec(path, [b"x"], [b"", b"novalue", b"=", b"A=1", b"A=2"])


def places():
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        compare("working directory", lambda p: told(p, cwd=directory))
        compare("a name with a newline as directory", lambda p: told_in(p, os.path.join(directory, "new\nline")))
        compare("a deleted working directory", lambda p: told(p, prepare=lambda: gone(directory)))
        compare("a working directory without rights", lambda p: told(p, prepare=lambda: closed(directory)))
    compare("umask 077", lambda p: told(p, prepare=lambda: os.umask(0o077)))
    compare("umask 0", lambda p: told(p, prepare=lambda: os.umask(0)))
    compare("nice", lambda p: told(p, prepare=lambda: os.nice(7)))
    compare("limits", lambda p: told(p, prepare=limits))
    compare("few descriptors allowed", lambda p: told(p, prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)), environment={}))
    compare("batch scheduling", lambda p: told(p, prepare=lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))))
    if os.geteuid() == 0:
        compare("another user", lambda p: told(p, prepare=user))
        compare("another user without groups", lambda p: told(p, prepare=lambda: (os.setgroups([]), os.setgid(65534), os.setuid(65534))))
    compare("death signal", lambda p: told(p, prepare=lambda: libc.prctl(1, signal.SIGUSR1)))
    compare("no new privileges", lambda p: told(p, prepare=lambda: libc.prctl(38, 1, 0, 0, 0)))


def told_in(path, directory):
    os.makedirs(directory, exist_ok=True)
    return told(path, cwd=directory)


def gone(parent):
    directory = os.path.join(parent, "gone")
    os.mkdir(directory); os.chdir(directory); os.rmdir(directory)


def closed(parent):
    directory = os.path.join(parent, "closed")
    os.makedirs(directory, exist_ok=True)
    os.chdir(directory); os.chmod(directory, 0)
    if os.geteuid() == 0: os.setuid(65534)


def limits():
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 2 << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (100, 200))


def user():
    os.setgroups([5, 20, 1001])
    os.setresgid(1000, 1000, 1000)
    os.setresuid(1000, 1000, 1000)


def descriptors():
    with tempfile.TemporaryFile() as file:
        file.write(b"0123456789" * 10); file.flush()
        def at(path):
            file.seek(7)
            return told(path, input=file) + (file.tell(),)
        compare("standard input at an offset", at)
        def read(path):
            file.seek(7)
            result = told(path, ["--", "read", "5"], input=file)
            return result + (os.lseek(file.fileno(), 0, os.SEEK_CUR),)
        compare("standard input half read", read)
        compare("inherited descriptors", lambda p: told(p, keep=(file.fileno(),)))
        compare("an append-only output", lambda p: appended(p))
    for closed in [(0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2), (0, 2)]:
        compare("closed %s" % (closed,), lambda p: told(p, prepare=lambda: [os.close(n) for n in closed]))
    compare("a full table of descriptors", lambda p: told(p, prepare=full_table))
    compare("unread standard input stays", unread)
    compare("an output whose reader is gone", broken)
    compare("an output whose reader is gone, ignored", lambda p: broken(p, True))
    compare("a full disk", full_disk)
    # A sandbox ends with its program.
    if not ELSEWHERE: compare("a grandchild keeps the output open", grandchild)
    compare("output closed early", early)


def appended(path):
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"before\n"); file.flush()
        with open(file.name, "ab") as output:
            status = subprocess.run([path, "--", "quiet", "say", "hello"], stdout=output).returncode
        return (status, open(file.name, "rb").read())


def full_table():
    resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
    while True:
        try: os.set_inheritable(os.open("/dev/null", os.O_RDONLY), True)
        except OSError: break
    os.close(19)  # the program needs one to tell


def unread(path):
    reader, writer = os.pipe()
    os.write(writer, b"first second")
    result = subprocess.run([path, "--", "quiet", "read", "6"], stdin=reader, stdout=subprocess.PIPE)
    rest = os.read(reader, 100)
    os.close(reader); os.close(writer)
    return (result.returncode, result.stdout, rest)


def broken(path, ignored=False):
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen([path, "--", "quiet", "write", "100"], stdout=writer, restore_signals=not ignored)
    os.close(writer)
    return process.wait(timeout=20)


def full_disk(path):
    with open("/dev/full", "wb") as full:
        return subprocess.run([path, "--", "quiet", "write", "1"], stdout=full).returncode


def grandchild(path):
    start = time.monotonic()
    process = subprocess.Popen([path, "--", "quiet", "fork", "1", "exit", "5"], stdout=subprocess.PIPE)
    status = process.wait(timeout=20)
    process.stdout.read()
    return (status, time.monotonic() - start > 0.8)


def with_luck(attempt, is_lucky):
    """A machine that stands still for a moment makes one attempt say nothing, but not five."""
    for _ in range(5):
        result = attempt()
        if is_lucky(result): break
    return result


def early(path):
    return with_luck(lambda: early_once(path), lambda result: result[1])


def early_once(path):
    start = time.monotonic()
    process = subprocess.Popen([path, "--", "quiet", "say", "x", "close", "1", "sleep", "700", "exit", "3"], stdout=subprocess.PIPE)
    text = process.stdout.read()
    before = time.monotonic() - start < 0.6
    return (text, before, process.wait(timeout=20))


def ends():
    for status in [0, 1, 2, 42, 126, 127, 128, 200, 255]:
        compare("exit %d" % status, lambda p: subprocess.run([p, "--", "quiet", "exit", str(status)]).returncode)
    compare("every exit status", lambda p: [subprocess.run([p, "--", "quiet", "exit", str(n)]).returncode for n in range(0, 256, 7)])
    numbers = [n for n in range(1, 65) if n not in (17, 18, 19, 20, 21, 22, 23, 28, 32, 33)]
    compare("death by every signal", lambda p: [subprocess.run([p, "--", "quiet", "die", str(n)]).returncode for n in numbers])
    compare("killed from outside", lambda p: [killed(p, n) for n in (1, 2, 3, 9, 10, 12, 13, 14, 15, 34, 64)])
    # SIGTSTP stops a target, whether or not it would catch it.
    numbers = [n for n in (1, 2, 3, 10, 12, 13, 14, 15, 18, 20, 28, 34, 64) if n != 20 or not ELSEWHERE]
    compare("signals that are caught", lambda p: [caught(p, n) for n in numbers])
    compare("a time-out of subprocess", timeout)
    compare("a signal to the group", group)


marks = iter(range(20000, 30000))


def killed(path, number):
    mark = str(next(marks))
    process = subprocess.Popen([path, "--", "quiet", "say", "ready", "sleep", mark], stdout=subprocess.PIPE)
    process.stdout.read(5)
    process.send_signal(number)
    return process.wait(timeout=20), left(mark)


def left(mark):
    """Processes with this word that are still there after a while."""
    end = time.time() + 15
    while True:
        found = 0
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid(): continue
            try:
                with open("/proc/%s/cmdline" % entry, "rb") as file: found += mark.encode() in file.read().split(b"\0")
            except OSError: pass
        if not found or time.time() > end: return found
        time.sleep(0.02)


def caught(path, number):
    process = subprocess.Popen([path, "--", "quiet", "catch"], stdout=subprocess.PIPE)
    process.stdout.readline()
    process.send_signal(number)
    if number == 20: time.sleep(0.2); process.send_signal(signal.SIGCONT)
    return process.wait(timeout=20)


def timeout(path):
    try:
        subprocess.run([path, "--", "quiet", "sleep", "20000"], timeout=0.3)
    except subprocess.TimeoutExpired as expired:
        return "expired"


def group(path):
    process = subprocess.Popen([path, "--", "quiet", "say", "ready", "sleep", "20000"], stdout=subprocess.PIPE, start_new_session=True)
    process.stdout.read(5)
    os.killpg(process.pid, signal.SIGTERM)
    return process.wait(timeout=20)


def stops():
    compare("stopped and continued", stopped)
    compare("stopped from the terminal", lambda p: stopped(p, signal.SIGTSTP))


def stopped(path, number=signal.SIGSTOP):
    # It may have ended before it was told to stop.
    return with_luck(lambda: stopped_once(path, number), lambda result: result[0])


def stopped_once(path, number):
    process = subprocess.Popen([path, "--", "quiet", "say", "ready", "sleep", "400", "exit", "4"], stdout=subprocess.PIPE)
    process.stdout.read(5)
    process.send_signal(number)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status): return (False, 0, status)
    time.sleep(0.6)
    process.send_signal(signal.SIGCONT)
    end = os.waitpid(process.pid, 0)[1]
    return (os.WIFSTOPPED(status), os.WSTOPSIG(status), end)


def signals():
    compare("ignored signals", lambda p: told(p, prepare=lambda: [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 13, 15)]))
    compare("blocked signals", lambda p: told(p, prepare=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [1, 10, 15, 17])))
    def pending():
        signal.pthread_sigmask(signal.SIG_BLOCK, [10, 34])
        os.kill(os.getpid(), 10); os.kill(os.getpid(), 34)
    # They are passed on, but may come after the program has told.
    if not ELSEWHERE: compare("pending signals", lambda p: told(p, prepare=pending))
    compare("a group of its own", lambda p: told(p, prepare=os.setpgrp))
    compare("a session of its own", lambda p: told(p, prepare=os.setsid))
    compare("a terminal", terminal)


def terminal(path):
    pid, master = pty.fork()
    if pid == 0:
        os.execve(path, ["told"], {})
    text = b""
    while True:
        try: part = os.read(master, 65536)
        except OSError: break
        if not part: break
        text += part
    status = os.waitpid(pid, 0)[1]
    os.close(master)
    lines = [l for l in text.splitlines() if not l.startswith(b"fd ")]
    return (b"\n".join(lines), [b"tty 1" in l for l in text.splitlines() if l.startswith(b"fd ")], status)


def use():
    """The caller sees what its child used."""
    def used(path, arguments):
        pid = os.posix_spawn(path, [path, "--", "quiet", *arguments], {})
        _, status, usage = os.wait4(pid, 0)
        return status, usage
    def burnt(path):
        def once():
            status, usage = used(path, ["burn", "150"])
            return (status, 0.14 < usage.ru_utime + usage.ru_stime < 0.3)
        return with_luck(once, lambda result: result[1])
    def grown(path):
        status, usage = used(path, ["grow", "40"])
        return (status, 40000 < usage.ru_maxrss < 60000)
    compare("CPU time in rusage", burnt)
    compare("memory in rusage", grown)


def orphans():
    """A call whose parent dies goes on."""
    def run(path):
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o777)
            name = os.path.join(directory, "done")
            middle = os.fork()
            if middle == 0:
                output = os.open(name + ".new", os.O_WRONLY | os.O_CREAT)
                if os.fork() == 0:
                    os.dup2(output, 1)
                    os.execve(path, [path, "--", "quiet", "sleep", "300", "say", "finished"], {})
                os._exit(0)
            os.waitpid(middle, 0)
            for _ in range(1500):
                if open(name + ".new", "rb").read() == b"finished": return True
                time.sleep(0.02)
            return False
    compare("the parent's death", run)


def streams():
    """What goes through a call's streams, whatever they are."""
    text = b"x" * 300000 + b"end\n"
    def through(path, **options):
        return subprocess.run([path, "--", "quiet", "copy", "0", "complain", "done", "exit", "3"], input=text, capture_output=True, timeout=30, **options)
    compare("pipes", lambda p: (lambda r: (r.returncode, r.stdout, r.stderr))(through(p)))
    def merged(path):
        r = subprocess.run([path, "--", "quiet", "say", "a", "complain", "b", "say", "c"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return (r.returncode, r.stdout)
    compare("both outputs in one pipe", merged)
    def files(path):
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as sink:
            source.write(text); source.flush(); source.seek(100)
            sink.write(b"before"); sink.flush()
            r = subprocess.run([path, "--", "quiet", "read", "1000"], stdin=source, stdout=sink)
            sink.seek(0)
            return (r.returncode, sink.read(), os.lseek(source.fileno(), 0, os.SEEK_CUR))
    compare("files", files)
    def slow(path):
        process = subprocess.Popen([path, "--", "quiet", "copy", "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        answers = []
        for word in (b"one\n", b"two\n", b"three\n"):
            process.stdin.write(word); process.stdin.flush()
            answers.append(process.stdout.readline())
        process.stdin.close()
        return (answers, process.stdout.read(), process.wait(timeout=20))
    compare("a conversation", slow)
    def shared(path):
        reader, writer = os.pipe()
        os.write(writer, b"first second"); os.close(writer)
        first = subprocess.run([path, "--", "quiet", "read", "6"], stdin=reader, stdout=subprocess.PIPE).stdout
        second = subprocess.run([path, "--", "quiet", "copy", "0"], stdin=reader, stdout=subprocess.PIPE).stdout
        os.close(reader)
        return (first, second)
    compare("two programs after each other at one pipe", shared)
    def loop(path):
        return subprocess.run(["sh", "-c", "printf 'a\\nb\\nc\\n' | while read line; do \"$1\" -- quiet say \"$line.\"; done", "sh", path], stdout=subprocess.PIPE).stdout
    compare("a loop of the shell that reads", loop)
    compare("an output whose reader leaves", leaving)


def leaving(path):
    process = subprocess.Popen([path, "--", "quiet", "write", "1000000"], stdout=subprocess.PIPE)
    process.stdout.read(10)
    process.stdout.close()
    return process.wait(timeout=30)


suites = {"streams": streams, "words": words, "places": places, "descriptors": descriptors, "ends": ends, "stops": stops, "signals": signals, "use": use, "orphans": orphans}
for suite in sys.argv[3:]: suites[suite]()
sys.exit(1 if failures else 0)
