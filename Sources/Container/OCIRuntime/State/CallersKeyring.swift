import Linux

/// Whether a container was made without a session keyring of its own (`--no-new-keyring`): then those that join it get
/// none either. A mark in its directory says so; without one, as containers of older versions are, a keyring was made.
extension StateDirectory {
    private static let callersKeyring = "no-new-keyring"

    func noteCallersKeyring() throws(RuntimeFailure) {
        try attempt { () throws(SystemError) in try Files.replaceInMemory("\(path)/\(Self.callersKeyring)", with: []) }
    }

    var keepsCallersKeyring: Bool { Files.exists("\(path)/\(Self.callersKeyring)") }
}
