import JSON
import Linux
import Metering
import RightSizing

/// Calls as a ledger has them.
enum Recorded {
    static let ground = SizingGround(prices: .aws, processors: 2, memoryLimitMB: 4096)

    /// - Parameters:
    ///   - count: one every `spacing` seconds.
    ///   - change: makes each its own.
    static func calls(
        _ count: Int, spacing: Double = 1, memoryMB: Int = 1024, milliseconds: Int = 100, cpuMilliseconds: Int = 20, peakMB: Int = 100,
        start: MeteredCall.Start = .warm, _ change: (Int, inout MeteredCall) -> Void = { _, _ in }
    ) -> [MeteredCall] {
        (0..<count).map { number in
            var call = MeteredCall(
                requestID: "\(number)", function: "price", version: "1", invokedARN: "arn", source: "invoke",
                arrivedAt: Timestamp(nanoseconds: 1_790_000_000_000_000_000 + Int(Double(number) * spacing * 1e9)))
            call.memoryMB = memoryMB
            call.durationMicroseconds = milliseconds * 1000
            call.billedMilliseconds = milliseconds
            call.cpuMicroseconds = cpuMilliseconds * 1000
            call.peakMemoryBytes = peakMB << 20
            call.start = start
            change(number, &call)
            return call
        }
    }

    static func function(_ calls: [MeteredCall], provisioned: [String: Int] = [:], qualifier: String? = nil, memoryMB: Int = 1024)
        -> MeasuredFunction
    {
        MeasuredFunction(
            name: "price", memoryMB: memoryMB, timeoutSeconds: 3, provisioned: provisioned, qualifier: qualifier, calls: calls)
    }

    static func advice(_ function: MeasuredFunction) -> Advice { FunctionSizing.advice(function, ground) }
}

extension Advice {
    func change(_ quantity: Change.Quantity) -> Change? { changes.first { $0.quantity == quantity } }
    func remark(_ beginning: String) -> String? { remarks.first { $0.hasPrefix(beginning) } }
}
