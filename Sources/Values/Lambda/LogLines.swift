/// The lines that the service itself writes into a function's log, byte for byte as AWS Lambda prints them: tools read
/// them (`sam logs`, power tuning, every dashboard), so neither a space nor a tab is ours to choose.
package enum LogLines {
    /// `START RequestId: ID Version: $LATEST`
    package static func start(requestID: String, version: String) -> String {
        "START RequestId: \(requestID) Version: \(version)"
    }

    /// `END RequestId: ID`
    package static func end(requestID: String) -> String { "END RequestId: \(requestID)" }

    /// What a call is told to have used, in one line with tabs between the fields.
    package static func report(_ report: CallReport) -> String {
        var line = "REPORT RequestId: \(report.requestID)\t"
        line += "Duration: \(milliseconds(report.durationMicroseconds)) ms\t"
        line += "Billed Duration: \(report.billedMilliseconds) ms\t"
        line += "Memory Size: \(report.memoryMB) MB\tMax Memory Used: \(report.peakMB) MB\t"
        if let initialisation = report.initMicroseconds { line += "Init Duration: \(milliseconds(initialisation)) ms\t" }
        if let status = report.status { line += "Status: \(status)\t" }
        if let type = report.errorType { line += "Error Type: \(type)\t" }
        return line
    }

    /// `INIT_START Runtime Version: RUNTIME`; the service adds the ARN of a managed runtime, and these are none.
    package static func initStart(runtime: String) -> String { "INIT_START Runtime Version: \(runtime)" }

    /// Only printed for an initialisation that failed.
    package static func initReport(microseconds: Int, status: String, errorType: String?) -> String {
        let line = "INIT_REPORT Init Duration: \(milliseconds(microseconds)) ms\tPhase: init\tStatus: \(status)"
        return errorType.map { "\(line)\tError Type: \($0)" } ?? line
    }

    /// Milliseconds with two decimals, rounded: 1234 us are "1.23".
    package static func milliseconds(_ microseconds: Int) -> String {
        let hundredths = (max(microseconds, 0) + 5) / 10
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

/// What REPORT says.
package struct CallReport: Hashable, Sendable {
    package var requestID: String
    package var durationMicroseconds: Int
    package var billedMilliseconds: Int
    package var memoryMB: Int
    package var peakMB: Int
    /// nil: the instance was warm.
    package var initMicroseconds: Int?
    /// "timeout" or "error"; nil for success, and for an error that the function itself reported.
    package var status: String?
    package var errorType: String?

    package init(
        requestID: String, durationMicroseconds: Int, billedMilliseconds: Int, memoryMB: Int, peakMB: Int,
        initMicroseconds: Int? = nil, status: String? = nil, errorType: String? = nil
    ) {
        self.requestID = requestID
        self.durationMicroseconds = durationMicroseconds
        self.billedMilliseconds = billedMilliseconds
        self.memoryMB = memoryMB
        self.peakMB = peakMB
        self.initMicroseconds = initMicroseconds
        self.status = status
        self.errorType = errorType
    }

    /// Whole milliseconds, rounded up, of what is billed: the call and the initialisation that it waited for.
    package static func billed(durationMicroseconds: Int, initMicroseconds: Int?) -> Int {
        (max(durationMicroseconds, 0) + max(initMicroseconds ?? 0, 0) + 999) / 1000
    }
}
