import Linux

/// Hears from a container's program that it is ready, and tells the service manager that started us.
///
/// Invariant: of what a program says only its readiness is passed on; what else it may want of the machine's service
/// manager (its main process, descriptors to be kept) is not its to say. (test: `only readiness is passed on`)
struct ReadinessRelay {
    static let socket = "notify.sock"

    private let ours: SharedFD
    private let manager: SharedFD
    /// The program's, which the manager is to look after; nil where this process stays.
    private let mainProcess: Int32?

    /// - Parameters:
    ///   - directory: the one that is bound in the container.
    ///   - manager: its socket.
    init(directory: String, manager: String, mainProcess: Int32?) throws(RuntimeFailure) {
        self.mainProcess = mainProcess
        (ours, self.manager) = try attempt("pass on NOTIFY_SOCKET") { () throws(SystemError) in
            let path = "\(directory)/\(Self.socket)"
            // One that a start before us has left.
            do throws(SystemError) { try Files.remove(path) } catch  where error.code == .noEntry {}
            return (SharedFD(try DatagramSocket.bind(at: path)), SharedFD(try DatagramSocket.connect(to: manager)))
        }
    }

    var descriptor: CInt { ours.raw }

    /// Takes what has come; returns whether the program is ready, of which the manager knows then.
    func move() throws(RuntimeFailure) -> Bool {
        var room = [UInt8](repeating: 0, count: 4096)
        while let count = try attempt("", { () throws(SystemError) in try Files.readAvailable(ours.raw, into: &room) })
        {
            guard let ready = Self.readiness(room[..<count]) else { continue }
            try tell(ready)
            return true
        }
        return false
    }

    /// The line that says so, of a message. Pure.
    static func readiness(_ message: ArraySlice<UInt8>) -> String? {
        let lines = String(decoding: message, as: UTF8.self).split(separator: "\n")
        return lines.contains("READY=1") ? "READY=1" : nil
    }

    private func tell(_ ready: String) throws(RuntimeFailure) {
        try attempt("tell the service manager that the container is ready") { () throws(SystemError) in
            try MessageSocket.send(Array("\(ready)\n".utf8), descriptors: [], to: manager.raw)
            if let mainProcess {
                try MessageSocket.send(Array("MAINPID=\(mainProcess)\n".utf8), descriptors: [], to: manager.raw)
            }
            try awaitReading()
        }
    }

    /// We may end right after this, and a message of who is gone counts for nothing: a barrier says when it was read
    /// (sd_notify_barrier(3)). A manager that knows none closes its end as well.
    private func awaitReading() throws(SystemError) {
        var pipe = try Files.pipe()
        let reading = pipe.takeReader()
        do throws(SystemError) {
            let writing = pipe.takeWriter()
            try MessageSocket.send(Array("BARRIER=1".utf8), descriptors: [writing.raw], to: manager.raw)
        } catch { throw error }
        _ = try Descriptors.isReadable(reading.raw, withinMilliseconds: 5000)
    }

    /// Waits until the program is ready or has ended.
    func wait(for process: SharedFD) throws(RuntimeFailure) {
        while try !move() {
            _ = try attempt { () throws(SystemError) in
                try Descriptors.areAnyReadable([ours.raw, process.raw], withinMilliseconds: -1)
            }
            if try attempt(
                "", { () throws(SystemError) in try Descriptors.isReadable(process.raw, withinMilliseconds: 0) })
            {
                _ = try move()
                return
            }
        }
    }
}
