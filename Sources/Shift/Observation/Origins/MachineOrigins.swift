/// All origins that a machine's configuration names.
package enum MachineOrigins {
    /// - Parameter root: the directory below which /etc and the rest are read.
    package static func read(root: String) -> [ProgramOrigin] { [] }
}
