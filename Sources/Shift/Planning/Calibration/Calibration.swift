package import Comparison
package import Linux

/// What this machine takes for what Forkless does with programs, measured on it.
///
/// Each figure is of programs that do nothing, so that what a real program does comes on top of it.
package struct Calibration: Hashable, Sendable {
    /// On which machine it was measured.
    package var machine: MachineFacts
    package var at: Timestamp
    /// Without fork's copy: from the request to start /bin/true until it is reaped.
    package var spawn: Timing
    /// Of that, from the exec on: what is in the life time of every program.
    package var emptyLifeNanoseconds: Int
    /// The same by fork and exec, from parents of different sizes.
    package var forks: [ForkTiming]
    /// A container for the call, through a node.
    package var container: Reading<Timing>
    /// A call that a standby answers: `cat` of nothing.
    package var standby: Reading<Timing>
    /// What a standby of `cat` costs while it waits, bytes.
    package var standbyIdleBytes: Reading<Int>
    /// A call of a Python function that waits for events.
    package var runtime: Reading<Timing>
    /// The first call of such a function, which starts it: forked from an interpreter that has imported already.
    package var runtimeFirst: Reading<Timing>
    /// Interpreters that are here, running a program that does nothing.
    package var interpreters: [InterpreterTiming]

    package init(
        machine: MachineFacts, at: Timestamp, spawn: Timing, emptyLifeNanoseconds: Int, forks: [ForkTiming],
        container: Reading<Timing>, standby: Reading<Timing>, standbyIdleBytes: Reading<Int>, runtime: Reading<Timing>,
        runtimeFirst: Reading<Timing>, interpreters: [InterpreterTiming]
    ) {
        self.machine = machine
        self.at = at
        self.spawn = spawn
        self.emptyLifeNanoseconds = emptyLifeNanoseconds
        self.forks = forks
        self.container = container
        self.standby = standby
        self.standbyIdleBytes = standbyIdleBytes
        self.runtime = runtime
        self.runtimeFirst = runtimeFirst
        self.interpreters = interpreters
    }

    /// How long something takes, and how much processor time.
    package struct Timing: Hashable, Sendable {
        /// The median, nanoseconds.
        package var nanoseconds: Int
        package var samples: Int
        /// User and system time of the program, mean, nanoseconds; nil where nobody counted.
        package var cpuNanoseconds: Int?

        package init(nanoseconds: Int, samples: Int, cpuNanoseconds: Int? = nil) {
            self.nanoseconds = nanoseconds
            self.samples = samples
            self.cpuNanoseconds = cpuNanoseconds
        }
    }

    package struct ForkTiming: Hashable, Sendable {
        /// Resident memory of the parent, bytes.
        package var residentBytes: Int
        package var timing: Timing

        package init(residentBytes: Int, timing: Timing) {
            self.residentBytes = residentBytes
            self.timing = timing
        }
    }

    package struct InterpreterTiming: Hashable, Sendable {
        /// "python3".
        package var name: String
        package var path: String
        package var timing: Timing

        package init(name: String, path: String, timing: Timing) {
            self.name = name
            self.path = path
            self.timing = timing
        }
    }
}

extension Calibration {
    /// What fork and exec take from the smallest parent that was measured, and for each GiB more: the line from there
    /// through the others, by least squares. Never less than nothing for a GiB.
    package var forkLine: (baseNanoseconds: Double, perGiBNanoseconds: Double) {
        guard let smallest = forks.min(by: { $0.residentBytes < $1.residentBytes }) else {
            return (Double(spawn.nanoseconds), 0)
        }
        let base = Double(smallest.timing.nanoseconds)
        var (products, squares) = (0.0, 0.0)
        for fork in forks {
            let size = Double(fork.residentBytes - smallest.residentBytes) / Self.gibibyte
            products += size * (Double(fork.timing.nanoseconds) - base)
            squares += size * size
        }
        return (base, squares > 0 ? max(0, products / squares) : 0)
    }

    package static let gibibyte = Double(1 << 30)

    /// The interpreter that a program is run by, or is: "/usr/bin/python3.11" is a python3.
    package func interpreter(of path: String) -> InterpreterTiming? {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return interpreters.first { $0.name == name }
            ?? interpreters.first { Self.family($0.name) == Self.family(name) }
    }

    /// A name without its version: "python3.11" and "python3" are "python".
    private static func family(_ name: String) -> Substring {
        var rest = name[...]
        while let last = rest.last, last.isNumber || last == "." || last == "-" { rest.removeLast() }
        return rest
    }
}
