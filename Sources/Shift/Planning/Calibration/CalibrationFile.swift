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
        do throws(JSONError) {
            let json = try JSONParser.parse(bytes)
            do throws(JSONShapeError) { return try Calibration(json) } catch {
                throw CalibrationFailure("\(path) is no calibration: \(error). Measure again with --calibrate")
            }
        } catch let error as JSONError {
            throw CalibrationFailure("\(path) is no calibration: \(error). Measure again with --calibrate")
        } catch let error as CalibrationFailure { throw error } catch { throw CalibrationFailure("\(path): \(error)") }
    }

    /// Replaces the file as a whole. Blocks.
    package static func write(_ calibration: Calibration, to path: String) throws(SystemError) {
        try Files.replace(path, with: JSONWriter.bytes(calibration.json, .indented(2)) + [UInt8(ascii: "\n")], mode: 0o644)
    }
}
