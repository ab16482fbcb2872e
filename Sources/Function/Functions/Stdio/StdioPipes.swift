internal import Linux

/// The node's ends of a program's standard streams, for tasks.
enum StdioPipes {
    /// Writes everything and closes the end, which is how the program learns that its input is complete. A program that
    /// does not want it all is no error.
    static func write(_ bytes: [UInt8], to pipe: SharedFD) async {
        var rest = bytes[...]
        while !rest.isEmpty {
            do {
                if let count = try Files.writeAvailable(rest, to: pipe.raw) {
                    rest = rest.dropFirst(count)
                } else {
                    try await Readiness.shared.writable(pipe.raw)
                }
            } catch { return }
        }
    }

    /// Everything until the end.
    static func readAll(_ pipe: SharedFD, limit: Int) async -> Result<[UInt8], InstanceStartFailure> {
        var all: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            do {
                guard let count = try Files.readAvailable(pipe.raw, into: &room) else {
                    try await Readiness.shared.readable(pipe.raw)
                    continue
                }
                if count == 0 { return .success(all) }
                all += room[..<count]
            } catch { return .failure(InstanceStartFailure(errorType: "Sandbox.Failure", errorMessage: "read the answer: \(error)")) }
            guard all.count <= limit else {
                return .failure(
                    InstanceStartFailure(
                        errorType: "Function.ResponseSizeTooLarge",
                        errorMessage: "Response payload size exceeded maximum allowed payload size (\(limit) bytes)."))
            }
        }
    }
}
