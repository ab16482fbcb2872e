/// Waits until `condition` holds, looking again and again with growing pauses.
///
/// For what the kernel or another process finishes in its own time. The deadline is generous on purpose: a slow
/// machine makes a test slow, not red.
///
/// - Throws: `DeadlinePassed`, or what the condition throws.
package func eventually(
    within limit: Duration = .seconds(30), _ what: String = "the condition", file: StaticString = #fileID,
    line: Int = #line, isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool
) async throws {
    try await eventuallySome(within: limit, what, file: file, line: line) { try await condition() ? true : nil }
}

/// Waits until `find` returns something, and returns it.
@discardableResult
package func eventuallySome<Found>(
    within limit: Duration = .seconds(30), _ what: String = "the value", file: StaticString = #fileID,
    line: Int = #line, isolation: isolated (any Actor)? = #isolation, _ find: () async throws -> Found?
) async throws -> Found {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    var pause = Duration.milliseconds(1)
    var looks = 0
    while true {
        // The clock is read before the look: a look that began in time counts, however long it took.
        let late = clock.now >= deadline
        looks += 1
        if let found = try await find() { return found }
        // A machine that stalls past the deadline has given nothing the time to come about.
        if late, looks >= 10 {
            throw DeadlinePassed(what: what, limit: limit, looks: looks, place: "\(file):\(line)")
        }
        try await Task.sleep(for: pause, clock: clock)
        pause = min(pause * 2, .milliseconds(50))
    }
}

/// What was waited for did not come about in time.
package struct DeadlinePassed: Error, CustomStringConvertible {
    package var what: String
    package var limit: Duration
    package var looks: Int
    package var place: String

    package var description: String {
        "\(what) at \(place) did not come about within \(limit) (looked \(looks) times)"
    }
}
