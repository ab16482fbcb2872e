import Linux
import OCI

/// The terminal of a container's process: made in the container's own devpts, its master given to who asked for it.
enum Console {
    /// Makes a terminal of an instance of devpts, given by its mount, with the size that is wanted.
    static func make(
        in devpts: CInt, size: ConsoleSize?, owner: UInt32
    ) throws(SystemError) -> (master: SharedFD, program: SharedFD) {
        var pair = try Terminal.open(in: devpts, multiplexer: "ptmx")
        let master = SharedFD(pair.takeMaster())
        let program = SharedFD(pair.takeProgram())
        if let size {
            try Terminal.setSize(
                Terminal.Size(rows: UInt16(clamping: size.height), columns: UInt16(clamping: size.width)),
                of: master.raw)
        }
        let group = try Files.status(of: program.raw, name: "the terminal").group
        try FileEntries.setOwner(owner, group, of: program.raw, name: "the terminal")
        return (master, program)
    }

    /// Shows it at /dev/console: by descriptor, so that nothing else can be put there (CVE-2025-52565).
    static func show(_ program: SharedFD, in root: ContainerRoot) throws(SystemError) {
        let place = try root.file("/dev/console")
        let tree = try Mounts.take(program.raw, recursive: false, name: "the terminal")
        try Mounts.attach(tree.raw, to: place.raw, name: "/dev/console")
    }

    /// Sends the master to the socket that a manager listens on, with the terminal's name as the bytes.
    static func send(_ master: SharedFD, to path: String) throws(RuntimeFailure) {
        try attempt("send the terminal to --console-socket \(path)") { () throws(SystemError) in
            let socket = try StreamSocket.connect(to: path)
            try MessageSocket.send(Array("/dev/ptmx".utf8), descriptors: [master.raw], to: socket.raw)
        }
    }
}
