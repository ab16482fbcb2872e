import Comparison
import Linux

/// `--workload FILE`: a mix of programs with their arrivals. docs/compare.md has the form.
enum WorkloadFile {
    static let mostPrograms = 32
    static let longest = 3600 * 1_000_000_000
    /// Calls that all schedules together may make arrive: each is kept from the beginning on.
    static let mostArrivals = 10_000_000

    /// The workload in a file; paths in it are relative to the file.
    static func read(_ path: String) throws -> ComparedWorkload {
        let text = String(decoding: try Files.read(path, limit: WorkloadDocument.bytesLimit), as: UTF8.self)
        let folder = path.contains("/") ? String(path[..<path.lastIndex(of: "/")!]) : "."
        let name = path.split(separator: "/").last.map(String.init) ?? path
        do throws(WorkloadFailure) {
            return try parse(text, name: name) { (input) throws(SystemError) in
                try Files.read(input.hasPrefix("/") ? input : "\(folder)/\(input)", limit: 1 << 30)
            }
        } catch { throw CommandFailure("read the workload \(path): \(error)", status: ExitCodes.ownFailure) }
    }

    /// - Parameters:
    ///   - name: of the workload, where it has none of its own.
    ///   - file: reads an input.
    static func parse(
        _ text: String, name: String, _ file: (String) throws(SystemError) -> [UInt8]
    ) throws(WorkloadFailure) -> ComparedWorkload {
        var document = try WorkloadDocument(text)
        let name = try document.text("name") ?? name
        let duration = try document.span("duration")
        if let duration, duration > longest { throw document.failure("duration", "expected at most 1h") }
        guard let programs = try document.objects("programs"), !programs.isEmpty else {
            throw document.failure("programs", "expected a list of programs, found none")
        }
        guard programs.count <= mostPrograms else {
            throw document.failure("programs", "expected at most \(mostPrograms) programs")
        }
        try document.refuseUnknown()
        var streams: [WorkloadStream] = []
        for (index, program) in programs.enumerated() {
            let stream = try stream(program, index, file)
            guard !streams.contains(where: { $0.name == stream.name }) else {
                throw program.failure("name", "two programs are called \"\(stream.name)\"")
            }
            streams.append(stream)
        }
        let scheduled = streams.filter { $0.schedule != nil }.count
        guard scheduled == 0 || scheduled == streams.count else {
            throw document.failure("programs", "either every program has a rate or bursts, or none has")
        }
        if scheduled == 0, duration != nil {
            throw document.failure("duration", "it is of use only with rates or bursts of the programs")
        }
        guard scheduled > 0 else { return ComparedWorkload(name: name, streams: streams) }
        let lasts = duration ?? 5_000_000_000
        try refuseFloods(streams, programs, lasts)
        return ComparedWorkload(name: name, streams: streams, loadNanoseconds: lasts)
    }

    private static func refuseFloods(
        _ streams: [WorkloadStream], _ programs: [WorkloadDocument], _ duration: Int
    ) throws(WorkloadFailure) {
        var arrivals = 0.0
        for (stream, program) in zip(streams, programs) {
            guard let schedule = stream.schedule else { continue }
            arrivals += schedule.expectedCount(forNanoseconds: duration)
            guard arrivals > Double(mostArrivals) else { continue }
            var field = "rate"
            if case .bursts = schedule { field = "bursts" }
            throw program.failure(
                field,
                "with it more than \(mostArrivals) calls would arrive in "
                    + "\(FloatingText.duration(nanoseconds: duration)), those of the programs before it included")
        }
    }

    private static func stream(
        _ program: WorkloadDocument, _ index: Int, _ file: (String) throws(SystemError) -> [UInt8]
    ) throws(WorkloadFailure) -> WorkloadStream {
        var program = program
        guard let command = try program.texts("command"), let word = command.first, !word.isEmpty else {
            throw program.failure("command", "expected the program and its arguments as a list")
        }
        let name = try program.text("name") ?? word.split(separator: "/").last.map(String.init) ?? word
        let schedule = try schedule(&program, index)
        let weight = try program.positive("weight")
        if weight != nil, schedule != nil {
            throw program.failure("weight", "a program with a rate or bursts has its share by them")
        }
        let concurrency = try program.integer("concurrency", 1...10_000)
        let input = try input(&program, file)
        try program.refuseUnknown()
        return WorkloadStream(
            name: name, program: word, arguments: Array(command.dropFirst()), input: input, schedule: schedule,
            weight: schedule?.perSecond ?? weight ?? 1, concurrency: concurrency)
    }

    private static func schedule(_ program: inout WorkloadDocument, _ index: Int) throws(WorkloadFailure)
        -> ArrivalSchedule?
    {
        let rate = try program.positive("rate")
        let arrivals = try program.word("arrivals", ["poisson", "constant"])
        let seed = try program.integer("seed", 0...Int(Int32.max))
        if var bursts = try program.object("bursts") {
            if rate != nil { throw program.failure("bursts", "a program has either a rate or bursts") }
            if arrivals != nil { throw program.failure("arrivals", "bursts have their own arrivals") }
            guard let size = try bursts.integer("size", 1...100_000) else {
                throw bursts.failure("size", "expected how many calls come at once")
            }
            guard let every = try bursts.span("every") else {
                throw bursts.failure("every", "expected a time such as 500ms")
            }
            try bursts.refuseUnknown()
            return .bursts(size: size, everyNanoseconds: every)
        }
        guard let rate else {
            for name in ["arrivals", "seed"] where (name == "seed" ? seed != nil : arrivals != nil) {
                throw program.failure(name, "it is of use only with a rate")
            }
            return nil
        }
        return arrivals == "constant" ? .constant(perSecond: rate) : .poisson(perSecond: rate, seed: seed ?? index + 1)
    }

    private static func input(
        _ program: inout WorkloadDocument, _ file: (String) throws(SystemError) -> [UInt8]
    ) throws(WorkloadFailure) -> WorkloadInput {
        let (path, text) = (try program.text("input"), try program.text("text"))
        if path != nil, text != nil { throw program.failure("text", "a program has either an input file or a text") }
        let each = try program.word("each", ["line", "whole"])
        var bytes = Array((text ?? "").utf8)
        if let path {
            do throws(SystemError) { bytes = try file(path) } catch { throw program.failure("input", "\(error)") }
        }
        do throws(WorkloadError) {
            return try WorkloadInput(standardInput: bytes, division: each == "line" ? .lines : .whole)
        } catch { throw program.failure("each", "\(error)") }
    }
}
