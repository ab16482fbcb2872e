package import Linux

/// All origins that a machine's configuration names.
package enum MachineOrigins {
    /// - Parameter root: the directory below which /etc and the rest are read.
    /// - Throws: `SystemError` when the root is no directory that can be read.
    package static func read(root: String) throws(SystemError) -> [ProgramOrigin] {
        let files = try RootedFiles(root)
        return Crontabs.read(files) + SystemdUnits.read(files) + InternetServers.read(files) + WebServers.read(files)
    }
}
