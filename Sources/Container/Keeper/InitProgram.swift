import Glibc
import Linux

/// The first process of a container that wants one (`--init`): it starts the program, passes signals on to it, reaps
/// what nobody else waits for, and ends as the program ends.
///
///     forkless-keeper --init PATH ARGV0 [ARGV1...]
///     forkless-keeper --init
///
/// The second form has no program: it holds the sandbox for others that enter it, until it is killed.
///
/// The keeper's own executable, bound read-only into the container: nothing of an image is run for it, and what it is
/// cannot be written through /proc/1/exe (CVE-2019-5736). (test: `an init passes signals on, reaps and ends as its program`)
package enum InitProgram {
    /// The word after the executable's name.
    package static let flag = "--init"

    /// - Parameter arguments: what follows the flag: the file to execute, then its argv.
    package static func main(_ arguments: [String]) -> Int32 {
        guard arguments.count != 1 else {
            complain("--init takes a program and its arguments")
            return 2
        }
        var every = sigset_t()
        sigfillset(&every)
        sigprocmask(SIG_SETMASK, &every, nil)
        if arguments.isEmpty { hold(&every) }
        var child: pid_t = 0
        let problem = start(arguments, &child)
        guard problem == 0 else {
            complain("execute \(arguments[0]): \(Errno(problem))")
            return problem == ENOENT ? 127 : 126
        }
        while true {
            var info = siginfo_t()
            let number = sigwaitinfo(&every, &info)
            if number == SIGCHLD {
                if let status = reap(child) { return status }
            } else if number > 0, info.si_code != fromKernel {
                // What a terminal sends goes to the whole foreground group, so the program has it already.
                kill(child, number)
            }
        }
    }

    /// Reaps what nobody else waits for, for ever.
    private static func hold(_ every: inout sigset_t) -> Never {
        while true {
            if sigwaitinfo(&every, nil) == SIGCHLD { while waitpid(-1, nil, WNOHANG) > 0 {} }
        }
    }

    /// SI_KERNEL of sigaction(2), a macro.
    private static let fromKernel: CInt = 0x80

    /// The program with every signal let through, as it would be without us.
    private static func start(_ arguments: [String], _ child: inout pid_t) -> CInt {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = arguments.dropFirst().map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        return posix_spawn(&child, arguments[0], nil, &attributes, &words, environ)
    }

    /// Reaps everything that has ended; the status to end with when the program is among it.
    private static func reap(_ child: pid_t) -> Int32? {
        var result: Int32?
        while true {
            var status: CInt = 0
            let pid = waitpid(-1, &status, WNOHANG)
            guard pid > 0 else { return result }
            // wait(2): the low seven bits are the signal, the byte above them the status.
            if pid == child { result = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + (status & 0x7f) }
        }
    }

    private static func complain(_ text: String) { try? Files.writeAll(Array("forkless init: \(text)\n".utf8), to: 2) }
}
