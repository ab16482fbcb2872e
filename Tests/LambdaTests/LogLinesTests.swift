import Testing

@testable import Lambda

/// Lines that tools read: each byte counts.
@Suite struct LogLinesTests {
    @Test func `lines are those of the service`() {
        #expect(LogLines.start(requestID: "id", version: "$LATEST") == "START RequestId: id Version: $LATEST")
        #expect(LogLines.end(requestID: "id") == "END RequestId: id")
        var report = CallReport(
            requestID: "id", durationMicroseconds: 1234, billedMilliseconds: 14, memoryMB: 128, peakMB: 31,
            initMicroseconds: 12_340)
        #expect(
            LogLines.report(report)
                == "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 14 ms\tMemory Size: 128 MB\tMax Memory Used: 31 MB\tInit Duration: 12.34 ms\t")
        report.initMicroseconds = nil
        report.status = "error"
        report.errorType = "Runtime.ExitError"
        #expect(
            LogLines.report(report)
                == "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 14 ms\tMemory Size: 128 MB\tMax Memory Used: 31 MB\tStatus: error\tError Type: Runtime.ExitError\t")
        #expect(
            LogLines.initReport(microseconds: 10_000_000, status: "timeout", errorType: nil)
                == "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout")
    }

    @Test(arguments: [(0, "0.00"), (4, "0.00"), (5, "0.01"), (999, "1.00"), (1000, "1.00"), (61_050, "61.05"), (-3, "0.00")])
    func `milliseconds have two decimals, rounded`(microseconds: Int, text: String) {
        #expect(LogLines.milliseconds(microseconds) == text)
    }

    @Test func `what is billed is rounded up and has the initialisation in it`() {
        #expect(CallReport.billed(durationMicroseconds: 1, initMicroseconds: nil) == 1)
        #expect(CallReport.billed(durationMicroseconds: 1000, initMicroseconds: nil) == 1)
        #expect(CallReport.billed(durationMicroseconds: 1000, initMicroseconds: 1) == 2)
        #expect(CallReport.billed(durationMicroseconds: 0, initMicroseconds: nil) == 0)
    }
}
