import JSON

/// A device node in the container (config-linux.md, "Devices").
package struct DeviceSpec: Hashable, Sendable {
    package enum Kind: String, NamedBySpecification {
        case character = "c"
        case block = "b"
        /// A character device that is not buffered: the same.
        case unbuffered = "u"
        case pipe = "p"
    }

    package var kind: Kind
    /// Absolute.
    package var path: String
    /// 0 for pipes.
    package var major: UInt32
    package var minor: UInt32
    /// Permission bits; nil is 0666.
    package var mode: UInt32?
    package var uid: UInt32?
    package var gid: UInt32?

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        kind = try reader.requiredName("type")
        path = try reader.requiredPath("path")
        guard path.hasPrefix("/") else { throw reader.error("path", "expected an absolute path, found \"\(path)\"") }
        let hasNumbers = kind == .pipe || (reader.has("major") && reader.has("minor"))
        guard hasNumbers else {
            throw reader.error(
                reader.has("major") ? "minor" : "major", "expected the number of the device, found nothing")
        }
        major = try reader.deviceNumber("major", limit: DeviceNumberLimits.major) ?? 0
        minor = try reader.deviceNumber("minor", limit: DeviceNumberLimits.minor) ?? 0
        mode = try reader.optional("fileMode")
        // Docker's daemon writes the kind of file along with the permissions.
        if let mode, mode > 0o177777 { throw reader.error("fileMode", "expected 0 to 65535, found \(mode)") }
        mode = mode.map { $0 & 0o7777 }
        uid = try reader.optional("uid")
        gid = try reader.optional("gid")
    }
}

/// What a device number can be (linux/kdev_t.h).
package enum DeviceNumberLimits {
    package static let major: UInt32 = 4095
    package static let minor: UInt32 = 1_048_575
}

extension JSONObjectReader {
    /// The major or minor number of a device.
    mutating func deviceNumber(_ key: String, limit: UInt32) throws(JSONShapeError) -> UInt32? {
        guard let number: Int64 = try optional(key) else { return nil }
        guard (0...Int64(limit)).contains(number) else { throw error(key, "expected 0 to \(limit), found \(number)") }
        return UInt32(number)
    }
}

/// A network device that moves into the container (config-linux.md, "Network Devices").
package struct NetworkDeviceSpec: Hashable, Sendable {
    /// Its name there; nil keeps the one it has.
    package var name: String?

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) { name = try reader.text("name", limit: 15) }
}
