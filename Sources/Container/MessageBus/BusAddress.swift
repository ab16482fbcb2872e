/// Where a bus listens (D-Bus Specification, "Server Addresses").
package enum BusAddress {
    /// The socket's path of the first address that has one: "unix:path=/run/dbus/system_bus_socket;tcp:...". Pure.
    package static func path(_ text: String) -> String? {
        for address in text.split(separator: ";") where address.hasPrefix("unix:") {
            for pair in address.dropFirst(5).split(separator: ",") where pair.hasPrefix("path=") {
                return unescaped(pair.dropFirst(5))
            }
        }
        return nil
    }

    /// "%XX" stands for a byte.
    private static func unescaped(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let code = UInt8(String(rest.prefix(2)) ?? "", radix: 16), rest.count >= 2 else { return nil }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
