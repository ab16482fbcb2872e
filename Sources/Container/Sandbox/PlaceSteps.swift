import Linux
import Spawn

extension StepProgram {
    /// Makes what is missing of a path below a root, part by part, and opens it.
    ///
    /// - Parameters:
    ///   - isDirectory: whether the place is for a directory; else it is an empty file.
    ///   - root: its "/"; nil: the working directory.
    mutating func makePlace(_ path: String, isDirectory: Bool, below root: Slot?) -> Slot {
        let pathOnly: CInt = 0o10_000_000
        let directoryOnly: CInt = 0o200_000
        var parent = root
        var opened = root
        var walked = ""
        let parts = path.split(separator: "/").filter { $0 != "." }.map(String.init)
        for (index, part) in parts.enumerated() {
            let isFile = index == parts.count - 1 && !isDirectory
            add(isFile ? .makeNode(parent, part, mode: 0o100_644, device: 0) : .makeDirectory(parent, part, mode: 0o755))
            walked += "/" + part
            let next = slot()
            let flags = isFile ? pathOnly : pathOnly | directoryOnly
            add(.openAt(root, walked, flags: flags, resolve: PathResolution.inRoot, into: next))
            parent = next
            opened = next
        }
        guard let opened else { preconditionFailure("a mount's target is not the root itself: \(path)") }
        return opened
    }
}
