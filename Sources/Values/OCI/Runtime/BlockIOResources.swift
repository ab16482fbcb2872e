import JSON

/// Reading and writing of block devices.
package struct BlockIOResources: Hashable, Sendable {
    /// One device's weight.
    package struct Weight: Hashable, Sendable {
        package var major: UInt32
        package var minor: UInt32
        package var weight: UInt16?
        package var leafWeight: UInt16?
    }

    /// One device's limit, in bytes or operations a second; 0 is none.
    package struct Rate: Hashable, Sendable {
        package var major: UInt32
        package var minor: UInt32
        package var rate: UInt64
    }

    /// 10 to 1000; 0 leaves it.
    package var weight: UInt16?
    package var leafWeight: UInt16?
    package var deviceWeights: [Weight] = []
    package var readBytes: [Rate] = []
    package var writeBytes: [Rate] = []
    package var readOperations: [Rate] = []
    package var writeOperations: [Rate] = []

    package init() {}

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        weight = try Self.weight(&reader, "weight")
        leafWeight = try Self.weight(&reader, "leafWeight")
        deviceWeights = try reader.parts("weightDevice", count: 1024) { part throws(JSONShapeError) in
            let (major, minor) = try Self.numbers(&part)
            let weight = try Self.weight(&part, "weight")
            let leafWeight = try Self.weight(&part, "leafWeight")
            guard weight != nil || leafWeight != nil else {
                throw part.error("weight", "expected weight or leafWeight, found neither")
            }
            return Weight(major: major, minor: minor, weight: weight, leafWeight: leafWeight)
        }
        readBytes = try Self.rates(&reader, "throttleReadBpsDevice")
        writeBytes = try Self.rates(&reader, "throttleWriteBpsDevice")
        readOperations = try Self.rates(&reader, "throttleReadIOPSDevice")
        writeOperations = try Self.rates(&reader, "throttleWriteIOPSDevice")
    }

    private static func weight(_ reader: inout JSONObjectReader, _ key: String) throws(JSONShapeError) -> UInt16? {
        guard let weight: UInt16 = try reader.optional(key), weight != 0 else { return nil }
        guard (10...1000).contains(weight) else { throw reader.error(key, "expected 10 to 1000, found \(weight)") }
        return weight
    }

    private static func rates(_ reader: inout JSONObjectReader, _ key: String) throws(JSONShapeError) -> [Rate] {
        try reader.parts(key, count: 1024) { part throws(JSONShapeError) in
            let (major, minor) = try numbers(&part)
            return Rate(major: major, minor: minor, rate: try part.requiredUnsigned("rate"))
        }
    }

    private static func numbers(_ reader: inout JSONObjectReader) throws(JSONShapeError) -> (UInt32, UInt32) {
        guard let major = try reader.deviceNumber("major", limit: DeviceNumberLimits.major) else {
            throw reader.error("major", "expected the number of the device, found nothing")
        }
        guard let minor = try reader.deviceNumber("minor", limit: DeviceNumberLimits.minor) else {
            throw reader.error("minor", "expected the number of the device, found nothing")
        }
        return (major, minor)
    }
}
