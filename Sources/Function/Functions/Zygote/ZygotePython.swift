/// The zygote for Python functions, a program that the interpreter is given on its command line (`python -c`).
///
/// It is not a file of its own in the sandbox: nothing has to be installed, mounted or kept in step with the node.
enum ZygotePython {
    static let source = #"""
        # Forkless' zygote for Python: imports a function once, then forks instances of it into sandboxes that wait for them.
        # What it says and hears on its control socket stands in docs/zygote.md. Standard library only; nothing is imported
        # after the function, whose imports could have put something else in its place.
        import ctypes, gc, os, random, secrets, select, signal, socket, stat, sys, time, traceback, weakref

        NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
            0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
        EVERYTHING = NEWUSER | NEWNS | NEWNET | NEWIPC | NEWUTS | NEWCGROUP | NEWPID
        PR_CAPBSET_DROP, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 24, 22, 38
        TASK = "/var/task"


        class Program(ctypes.Structure):
            """struct sock_fprog"""
            _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


        class Kernel:
            """What the os module lacks, bound before the function is imported."""

            def __init__(self):
                libc = ctypes.CDLL(None, use_errno=True)
                self.setns, self.prctl, self.capset = libc.setns, libc.prctl, libc.capset
                self.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
                # Without the hooks of os.fork(): they are for the child that runs the function.
                self.fork = ctypes.PyDLL(None, use_errno=True).fork

            @staticmethod
            def check(result, step):
                if result < 0:
                    code = ctypes.get_errno()
                    raise OSError(code, step + ": " + os.strerror(code))
                return result

            def enter(self, pidfd):
                self.check(self.setns(pidfd, EVERYTHING), "enter the sandbox")

            def give_up_rights(self):
                for capability in range(64):
                    if self.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                        break
                header = (ctypes.c_uint32 * 2)(0x20080522, 0)
                self.check(self.capset(header, (ctypes.c_uint32 * 6)()), "give up capabilities")
                self.check(self.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "gain no privileges")

            def load_filter(self, descriptor):
                code = os.pread(descriptor, 1 << 20, 0)
                if not code:
                    return
                buffer = ctypes.create_string_buffer(code, len(code))
                program = Program(len(code) // 8, ctypes.addressof(buffer))
                self.check(self.prctl(PR_SET_SECCOMP, 2, ctypes.addressof(program), 0, 0), "load the system-call filter")


        class Randomness:
            """Finds generators that nobody seeded, so that no two instances go on from the same state."""

            def __init__(self):
                self.seeded = weakref.WeakSet()
                self.entropy = set()
                self.forked = False
                self.plain_seed, plain_randbits = random.Random.seed, secrets.randbits

                def seed(generator, a=None, version=2):
                    self.plain_seed(generator, a, version)
                    if not self.forked:
                        (self.seeded.discard if a is None else self.seeded.add)(generator)

                def randbits(k):
                    # numpy's SeedSequence takes its entropy here when it is given none.
                    bits = plain_randbits(k)
                    if not self.forked:
                        self.entropy.add(bits)
                    return bits

                random.Random.seed, secrets.randbits = seed, randbits
                random.seed = random._inst.seed

            def is_ours(self, sequence):
                entropy = getattr(sequence, "entropy", None)
                return isinstance(entropy, int) and entropy in self.entropy

            def find(self):
                """In the zygote, before its objects are frozen out of the collector's sight."""
                self.generators, self.sequences, self.bits = [], [], []
                numpy = sys.modules.get("numpy.random")
                for thing in gc.get_objects():
                    kind = type(thing)
                    if issubclass(kind, random.Random) and not issubclass(kind, random.SystemRandom):
                        self.generators.append((thing, thing in self.seeded))
                    elif numpy and issubclass(kind, numpy.SeedSequence) and self.is_ours(thing):
                        self.sequences.append(thing)
                    elif numpy and issubclass(kind, numpy.BitGenerator):
                        sequence = getattr(thing, "seed_seq", None) or getattr(thing, "_seed_seq", None)
                        if self.is_ours(sequence):
                            self.bits.append((thing, sequence))
                # os.fork() seeds the module's own, whoever had seeded it.
                self.state = random.getstate() if random._inst in self.seeded else None

            def renew(self):
                """In an instance."""
                self.forked = True
                for generator, is_seeded in self.generators:
                    if not is_seeded and generator is not random._inst:
                        self.plain_seed(generator)
                if self.state is not None:
                    random.setstate(self.state)
                for sequence in self.sequences:
                    sequence.__init__(spawn_key=sequence.spawn_key, pool_size=sequence.pool_size)
                for bits, sequence in self.bits:
                    bits.state = type(bits)(sequence).state


        class Unfit(Exception):
            """The function's imports left what a fork cannot have."""


        class Ground:
            """What the process had before the function was imported, and what is there that must not be shared."""

            def __init__(self, control):
                self.control = control
                self.before = self.descriptors()
                self.reopened = []

            @staticmethod
            def descriptors():
                # The listing's own descriptor is closed by the time that it is looked at.
                return {int(name) for name in os.listdir("/proc/self/fd") if os.path.lexists("/proc/self/fd/" + name)}

            def check(self):
                tasks = os.listdir("/proc/self/task")
                if len(tasks) > 1:
                    raise Unfit("%d threads run (%s)" % (len(tasks), ", ".join(sorted({self.name_of(t) for t in tasks[1:]}))))
                others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
                if os.getpid() == 1 and others:
                    raise Unfit("%d processes were left running" % len(others))
                for descriptor in sorted(self.descriptors() - self.before):
                    self.check_descriptor(descriptor)
                with open("/proc/self/maps") as maps:
                    for line in maps:
                        words = line.split(None, 5)
                        if words[1][1] == "w" and words[1][3] == "s":
                            raise Unfit("memory is shared (%s)" % (words[5].strip() if len(words) > 5 else "anonymous"))
                for place in ("/tmp", "/dev/shm"):
                    left = os.listdir(place)
                    if left:
                        raise Unfit("%s/%s was written, which an instance would not find" % (place, sorted(left)[0]))

            @staticmethod
            def name_of(task):
                with open("/proc/self/task/%s/comm" % task) as file:
                    return file.read().strip()

            def check_descriptor(self, descriptor):
                mode = os.fstat(descriptor).st_mode
                path = os.readlink("/proc/self/fd/%d" % descriptor)
                with open("/proc/self/fdinfo/%d" % descriptor) as file:
                    flags = next(int(line.split()[1], 8) for line in file if line.startswith("flags:"))
                is_read = flags & os.O_ACCMODE == os.O_RDONLY
                if (stat.S_ISREG(mode) and is_read or stat.S_ISDIR(mode) or stat.S_ISCHR(mode)) and os.path.exists(path):
                    self.reopened.append((descriptor, path, flags))
                else:
                    what = "a socket" if stat.S_ISSOCK(mode) else path
                    raise Unfit("%s is open (descriptor %d)" % (what, descriptor))

            def renew(self, kept):
                """In an instance: descriptors of its own, and no others."""
                os.dup2(os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC), 0)
                files = {}
                for descriptor, path, flags in self.reopened:
                    offset = 0
                    if stat.S_ISREG(os.fstat(descriptor).st_mode):
                        offset = os.lseek(descriptor, 0, os.SEEK_CUR)
                    fresh = os.open(path, flags & ~os.O_CREAT & ~os.O_TRUNC)
                    if offset:
                        os.lseek(fresh, offset, os.SEEK_SET)
                    os.dup2(fresh, descriptor, inheritable=not flags & os.O_CLOEXEC)
                    os.close(fresh)
                    files[descriptor] = True
                for descriptor in self.descriptors():
                    if descriptor > 2 and descriptor != kept and descriptor not in files:
                        try:
                            os.close(descriptor)
                        except OSError:
                            pass


        def receive(channel):
            """A message with its descriptors."""
            message, ancillary, _, _ = channel.recvmsg(1 << 17, socket.CMSG_SPACE(4 * 64))
            descriptors = []
            for level, kind, data in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    descriptors += memoryview(data[: len(data) - len(data) % 4]).cast("i").tolist()
            return message, descriptors


        class Ends:
            """The ends of children: SIGCHLD becomes a byte in a pipe, in the zygote alone."""

            def __init__(self):
                self.reader, self.writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

            def watch(self):
                self.handler = signal.signal(signal.SIGCHLD, lambda number, frame: None)
                if self.handler is None:
                    raise Unfit("SIGCHLD is handled by native code")
                signal.set_wakeup_fd(self.writer, warn_on_full_buffer=False)

            def leave(self):
                """In an instance: as the function had it."""
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, self.handler)

            def statuses(self):
                os.read(self.reader, 1 << 16)
                while True:
                    try:
                        pid, status = os.waitpid(-1, os.WNOHANG)
                    except ChildProcessError:
                        return
                    if pid == 0:
                        return
                    yield pid, status


        class Zygote:
            """Forks when it is told to, and tells how its children end."""

            def __init__(self, control):
                self.control = control
                self.kernel = Kernel()
                self.randomness = Randomness()
                self.births, self.birth_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
                self.ends = Ends()
                self.ground = Ground(control)
                # Places by pid: of those that go before and have told of no birth yet, and of instances.
                self.before, self.instances = {}, {}
                self.poll = select.poll()

            def say(self, *words):
                self.control.send("\0".join(words).encode("utf-8", "replace")[:60000])

            def wait(self):
                """Serves until the node goes; returns in an instance, when that is told to begin."""
                self.ground.check()
                self.ends.watch()
                gc.collect()
                self.randomness.find()
                was_collecting = gc.isenabled()
                gc.disable()
                gc.freeze()
                for descriptor in (self.control, self.births, self.ends.reader):
                    self.poll.register(descriptor, select.POLLIN)
                self.say("ready")
                while True:
                    for descriptor, _ in self.poll.poll():
                        if descriptor == self.control.fileno():
                            life = self.hear()
                            if life is not None:
                                if was_collecting:
                                    gc.enable()
                                return life
                        elif descriptor == self.births:
                            self.note_births()
                        else:
                            self.reap()

            def hear(self):
                message, descriptors = receive(self.control)
                if not message:
                    os._exit(0)
                words = message.decode().split("\0")
                try:
                    if words[0] == "fork":
                        return self.fork(words[1], descriptors)
                    if words[0] == "signal":
                        for pid, name in self.instances.items():
                            if name == words[1]:
                                os.kill(pid, int(words[2]))
                    else:
                        self.say("unknown", words[0])
                finally:
                    for descriptor in descriptors:
                        os.close(descriptor)

            def fork(self, name, descriptors):
                pid = self.kernel.fork()
                if pid < 0:
                    self.say("ended", name, "fork", os.strerror(ctypes.get_errno()))
                    return None
                if pid > 0:
                    self.before[pid] = name
                    return None
                return self.enter(name, descriptors)

            def enter(self, name, descriptors):
                """In the child that goes before: it joins what its own child is born into, and ends."""
                pidfd, life, rules = descriptors[:3]
                try:
                    for entry in descriptors[3:]:
                        os.write(entry, b"0")
                    self.kernel.enter(pidfd)
                    pid = os.fork()
                except BaseException as error:
                    self.fail(life, error)
                if pid > 0:
                    os.write(self.birth_end, ("%s %d %d\n" % (name, pid, os.getpid())).encode())
                    os._exit(0)
                try:
                    # From here on they are this child's to keep or to close.
                    descriptors.clear()
                    return self.be_born(life, rules)
                except BaseException as error:
                    self.fail(life, error)

            @staticmethod
            def fail(life, error):
                os.write(life, ("failed\0%s" % error).encode("utf-8", "replace"))
                os._exit(125)

            def be_born(self, life, rules):
                self.ends.leave()
                os.setresgid(0, 0, 0)
                os.setresuid(0, 0, 0)
                os.chdir(TASK)
                os.setsid()
                self.kernel.give_up_rights()
                self.kernel.load_filter(rules)
                self.ground.renew(kept=life)
                self.randomness.renew()
                os.write(life, b"parked")
                return life

            def note_births(self):
                try:
                    lines = os.read(self.births, 1 << 16).decode().splitlines()
                except BlockingIOError:
                    return
                for line in lines:
                    name, pid, before = line.split()
                    self.instances[int(pid)] = name
                    self.before.pop(int(before), None)

            def reap(self):
                for pid, status in self.ends.statuses():
                    # A child becomes ours when the one that went before has ended, which has told of it by then.
                    self.note_births()
                    if pid in self.instances:
                        self.say("ended", self.instances.pop(pid), str(status))
                    elif pid in self.before:
                        name = self.before.pop(pid)
                        # Its place's end takes along what it may have forked.
                        if os.WIFSIGNALED(status):
                            self.say("ended", name, "fork", "signal %d ended it" % os.WTERMSIG(status))


        def begin(life):
            """In an instance: waits for its turn, and takes on what is its own."""
            with socket.socket(fileno=life) as channel:
                message, streams = receive(channel)
            if not message or len(streams) != 2:
                os._exit(0)
            for number, stream in enumerate(streams):
                os.dup2(stream, number + 1)
                os.close(stream)
            for entry in message.split(b"\0")[1:]:
                key, _, value = entry.partition(b"=")
                if key:
                    os.environb[key] = value
            time.tzset()


        def main():
            control = socket.socket(fileno=os.dup(int(os.environ.pop("FORKLESS_ZYGOTE"))))
            os.dup2(os.open("/dev/null", os.O_RDWR), 0)
            handler = os.environ["_HANDLER"]
            sys.argv = ["awslambdaric", handler]
            from awslambdaric import bootstrap, lambda_runtime_hooks_runner
            from awslambdaric.lambda_config import LambdaConfigProvider
            from awslambdaric.lambda_runtime_client import LambdaRuntimeClient
            zygote = Zygote(control)

            class Client(LambdaRuntimeClient):
                """AWS's own, whose first wait for an event is the zygote's wait for instances."""

                is_instance = False

                def wait_next_invocation(self):
                    if not self.is_instance:
                        bootstrap.on_init_complete(self, bootstrap.StandardLogSink())
                    return super().wait_next_invocation()

                def restore_next(self):
                    # Between the hooks before a snapshot and those after it was restored.
                    try:
                        life = zygote.wait()
                    except Unfit as reason:
                        zygote.say("unfit", str(reason))
                        os._exit(0)
                    self.is_instance = True
                    begin(life)

                def post_init_error(self, error, error_type_override=None):
                    if self.is_instance:
                        return super().post_init_error(error, error_type_override)
                    zygote.say("failed", error_type_override or error.get("errorType") or "", error.get("errorMessage") or "")
                    os._exit(0)

            config = LambdaConfigProvider(sys.argv)
            bootstrap.run(config.handler, Client(config.api_address, config.use_thread_polling))


        main()
        """#
}
