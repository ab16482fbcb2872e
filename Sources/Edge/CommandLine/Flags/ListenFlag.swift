import Daemon

/// Where a node listens, on the command line: an address and a port, or `off`.
enum ListenFlag {
    /// - Parameter usual: where, when nothing is said.
    /// - Returns: nil for `off`.
    static func parse(_ text: String?, _ flag: String, _ usual: ListenAddress) throws(FlagError) -> ListenAddress? {
        guard let text else { return usual }
        if text == "off" { return nil }
        guard let address = ListenAddress(text) else {
            throw FlagError(
                flag, text, "not an address to listen at",
                advice: "Write an address in numbers and a port (\(usual), [::1]:\(usual.port)), or off.")
        }
        return address
    }

    /// The flag that says the same. A usual address is left out, so that it stays one that may be taken.
    static func words(_ flag: String, _ address: ListenAddress?) -> [String] {
        guard let address else { return [flag, "off"] }
        return address.isAsked ? [flag, "\(address)"] : []
    }
}
