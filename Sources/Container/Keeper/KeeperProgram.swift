import Glibc
import Linux

/// The keeper's command line and its set-up as a process.
///
///     forkless-keeper --socket PATH --run DIR [--cgroup-parent NAME]
///     forkless-keeper --connection FD --cgroup-parent NAME
///
/// The first form serves nodes at a socket until it is told to end. The second serves the one connection that it
/// inherited and ends with it: for a single `forkless run`.
package enum KeeperProgram {
    package static let build = "0.1.0"

    /// Runs the keeper; returns the exit status.
    package static func main(_ arguments: [String]) -> Int32 {
        do {
            let options = try Options(arguments)
            if options.showsVersion {
                say("forkless-keeper \(build)")
                return 0
            }
            try run(options)
            return 0
        } catch let error as UsageError {
            complain("\(error.problem)\nusage: forkless-keeper --socket PATH --run DIR [--cgroup-parent NAME]")
            return 2
        } catch {
            complain("\(error)")
            return 1
        }
    }

    private static func run(_ options: Options) throws {
        try becomeKeeper()
        switch options.place {
        case .connection(let number):
            let keeper = try Keeper(
                .init(cgroupParent: options.cgroupParent, build: build, endsWithLastConnection: true))
            try keeper.adopt(connection: OwnedFD(adopting: number))
            try keeper.run()
        case .socket(let path, let directory):
            // The lock lives as long as the process: two keepers never share a directory.
            guard let lock = try FileLock("\(directory)/keeper.lock") else {
                throw SystemError(
                    "be the keeper of", directory, code: .busy, advice: "Another keeper serves it: one is enough.")
            }
            if OwnProcess.effectiveUser == 0 { try LayerMemory(run: directory).mount() }
            let keeper = try Keeper(.init(cgroupParent: options.cgroupParent, build: build))
            try? Files.remove(path)
            try keeper.serve(try MessageSocket.listen(at: path))
            Memory.releaseCode()
            try keeper.run()
            try? Files.remove(path)
            _ = consume lock
        }
    }

    /// Sets this process up to be the parent of everything.
    private static func becomeKeeper() throws {
        CurrentProcess.resetSignalActions()
        OwnProcess.ignoreBrokenPipes()
        // The modes of rooms and logs are meant as they stand, whoever started us.
        umask(0o022)
        if OwnProcess.effectiveUser == 0 {
            // Not to be traced or read by what it starts, and mounts that nobody else sees.
            try ThisProcess.setDumpable(false)
            try Mounts.leaveSharedNamespace()
        }
    }

    private static func say(_ text: String) { try? Files.writeAll(Array((text + "\n").utf8), to: 1) }
    private static func complain(_ text: String) {
        try? Files.writeAll(Array(("forkless-keeper: " + text + "\n").utf8), to: 2)
    }

    private struct UsageError: Error { var problem: String }

    private struct Options {
        enum Place {
            case socket(path: String, directory: String)
            case connection(CInt)
        }

        var place = Place.connection(-1)
        var cgroupParent = ""
        var showsVersion = false

        init(_ arguments: [String]) throws {
            var socket: String?
            var directory: String?
            var connection: CInt?
            var rest = arguments.makeIterator()
            while let option = rest.next() {
                func value() throws -> String {
                    guard let value = rest.next() else { throw UsageError(problem: "\(option) needs a value") }
                    return value
                }
                switch option {
                case "--socket": socket = try value()
                case "--run": directory = try value()
                case "--cgroup-parent": cgroupParent = try value()
                case "--connection": connection = CInt(try value())
                case "--version": showsVersion = true
                default: throw UsageError(problem: "unknown option \(option)")
                }
            }
            if showsVersion { return }
            if let connection, connection >= 0 {
                guard !cgroupParent.isEmpty else { throw UsageError(problem: "--connection needs --cgroup-parent") }
                place = .connection(connection)
            } else if let socket, let directory {
                place = .socket(path: socket, directory: directory)
                if cgroupParent.isEmpty { cgroupParent = Self.parentName(for: directory) }
            } else {
                throw UsageError(problem: "--socket and --run are needed")
            }
        }

        /// A name of its own for each run directory (FNV-1a), so that keepers do not share cgroups.
        private static func parentName(for directory: String) -> String {
            let hash = directory.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
            let digits = String(hash, radix: 16)
            return "forkless-" + String(repeating: "0", count: 8 - digits.count) + digits
        }
    }
}
