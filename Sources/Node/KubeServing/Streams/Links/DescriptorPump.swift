internal import Linux

/// Bytes between descriptors that do not block and tasks.
enum DescriptorPump {
    private static let roomSize = 64 << 10
    /// Read at most after the task was cancelled, bytes: as much as a pipe can hold, pipe(7).
    private static let lastBytes = 1 << 20

    /// Why a descriptor gave no more.
    enum End: Sendable {
        /// Its end, or nobody took more.
        case over
        case failed(SystemError)
    }

    /// Reads until the end, or until the task is cancelled and what was there then is read.
    ///
    /// - Parameter take: false: nobody wants more.
    static func read(_ fd: SharedFD, _ take: ([UInt8]) async -> Bool) async -> End {
        var room = [UInt8](repeating: 0, count: roomSize)
        var left = lastBytes
        while left > 0 {
            let isCancelled = Task.isCancelled
            do throws(SystemError) {
                guard let count = try Files.readAvailable(fd.raw, into: &room) else {
                    if isCancelled { return .over }
                    try await Readiness.shared.readable(fd.raw)
                    continue
                }
                if count == 0 { return .over }
                if isCancelled { left -= count }
                guard await take(Array(room[..<count])) else { return .over }
            } catch  where error.code == .canceled {
                continue
            } catch  where error.code == .inputOutput {
                // A terminal that no program has open any more, pty(7).
                return .over
            } catch {
                return .failed(error)
            }
        }
        return .over
    }

    /// Writes all bytes; false when nobody reads them any more, or the task is cancelled.
    static func write(_ bytes: [UInt8], to fd: SharedFD) async -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            do throws(SystemError) {
                if let count = try Files.writeAvailable(rest, to: fd.raw) {
                    rest = rest.dropFirst(count)
                } else {
                    try await Readiness.shared.writable(fd.raw)
                }
            } catch {
                return false
            }
        }
        return true
    }
}
