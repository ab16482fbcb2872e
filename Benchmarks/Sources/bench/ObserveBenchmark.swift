import CBaselines
import Foundation

/// What observing the whole machine adds to a program that starts others, one after the other.
struct ObserveBenchmark {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run() async throws -> Section {
        var section = Section(title: "Observing the whole machine")
        let count = options.count(400, quick: 40)
        let rounds = options.count(20, quick: 3)
        let recording = NSTemporaryDirectory() + "/forkless-bench-\(UUID().uuidString).recording"
        defer { try? FileManager.default.removeItem(atPath: recording) }
        var plain = Samples("spawn and wait, nobody watches")
        var watched = Samples("spawn and wait, forkless observe runs")
        // Both in each round, in turns: what the machine does meanwhile meets both.
        for round in 0...rounds {
            for isWatched in round % 2 == 0 ? [false, true] : [true, false] {
                let times = try await isWatched ? observed(recording) { try self.spawnLoop(count) } : spawnLoop(count)
                // The first round warms up.
                if round > 0 { if isWatched { watched.add(times) } else { plain.add(times) } }
            }
        }
        section.samples = [plain, watched]
        section.findings = [
            .slowness("a spawn loop under forkless observe, over the same without", watched, over: plain, atMost: 1.05)
        ]
        section.notes = [
            "Each sample is posix_spawn and waitpid of /bin/true, linked dynamically; the observer writes a recording."
        ]
        return section
    }

    private func spawnLoop(_ count: Int) throws -> [Int] {
        let arguments = ArgumentVector(["/bin/true"])
        return try (0..<count).map { _ in
            let begin = now()
            var pid: pid_t = 0
            let code = posix_spawn(&pid, "/bin/true", nil, nil, arguments.pointer, environ)
            guard code == 0 else { throw BenchmarkError("start /bin/true: \(String(cString: strerror(code)))") }
            var status: Int32 = 0
            guard waitpid(pid, &status, 0) == pid else { throw BenchmarkError("wait for /bin/true: errno \(errno)") }
            return now() - begin
        }
    }

    /// Does the work while an observer of its own runs.
    private func observed(_ recording: String, _ work: () throws -> [Int]) async throws -> [Int] {
        try? FileManager.default.removeItem(atPath: recording)
        let observer = Process()
        observer.executableURL = URL(fileURLWithPath: options.programs + "/forkless")
        observer.arguments = ["observe", "--record", recording]
        observer.standardOutput = FileHandle.nullDevice
        let errors = Pipe()
        observer.standardError = errors
        try observer.run()
        defer {
            observer.interrupt()
            observer.waitUntilExit()
        }
        // The file is there before the sockets are read; a little later everything is.
        let deadline = Date().addingTimeInterval(10)
        while !FileManager.default.fileExists(atPath: recording) {
            guard observer.isRunning, Date() < deadline else {
                let said =
                    observer.isRunning
                    ? "" : String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                throw BenchmarkError("forkless observe did not begin: \(said)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        try await Task.sleep(for: .milliseconds(300))
        return try work()
    }
}
