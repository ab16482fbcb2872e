import JSON
package import Linux

/// Why a calibration cannot be used.
package struct CalibrationFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

/// Where a calibration is kept between plans.
package enum CalibrationFile {
    /// A calibration is about two kilobytes.
    private static let bytesLimit = 1 << 20

    /// nil: there is none yet. Blocks.
    package static func read(_ path: String) throws(CalibrationFailure) -> Calibration? {
        let bytes: [UInt8]
        do { bytes = try Files.read(path, limit: bytesLimit) } catch {
            guard error.code != .noEntry else { return nil }
            throw CalibrationFailure("\(error)")
        }
        let json: JSONValue
        do throws(JSONError) { json = try JSONParser.parse(bytes) } catch { throw none(path, "\(error)") }
        do throws(JSONShapeError) { return try Calibration(json) } catch { throw none(path, "\(error)") }
    }

    private static func none(_ path: String, _ why: String) -> CalibrationFailure {
        CalibrationFailure("\(path) is no calibration: \(why). Measure again with --calibrate")
    }

    /// Replaces the file as a whole. Blocks.
    package static func write(_ calibration: Calibration, to path: String) throws(SystemError) {
        try Files.replace(
            path, with: JSONWriter.bytes(calibration.json, .indented(2)) + [UInt8(ascii: "\n")], mode: 0o644)
    }
}
