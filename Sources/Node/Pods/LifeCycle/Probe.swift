import JSON
import Linux

/// What a check is for.
package enum ProbeKind: String, Hashable, Sendable, CaseIterable {
    case startup = "Startup"
    case liveness = "Liveness"
    case readiness = "Readiness"
}

/// A check of a container: core/v1.Probe without what is done.
package struct ProbePlan: Hashable, Sendable {
    package var kind: ProbeKind
    package var initialDelaySeconds: Int
    package var periodSeconds: Int
    package var timeoutSeconds: Int
    package var successThreshold: Int
    package var failureThreshold: Int
    /// For a container that it stops; nil: the pod's.
    package var graceSeconds: Int?

    init(_ json: JSONValue, _ kind: ProbeKind) {
        func number(_ key: String, _ fallback: Int, _ least: Int) -> Int {
            PodPlan.bounded(json[key]?.integer, default: fallback, least...PodPlan.longest)
        }
        self.kind = kind
        initialDelaySeconds = number("initialDelaySeconds", 0, 0)
        periodSeconds = number("periodSeconds", 10, 1)
        timeoutSeconds = number("timeoutSeconds", 1, 1)
        successThreshold = number("successThreshold", 1, 1)
        failureThreshold = number("failureThreshold", 3, 1)
        graceSeconds = json["terminationGracePeriodSeconds"]?.integer.map {
            PodPlan.bounded($0, default: 1, 1...PodPlan.longest)
        }
    }
}

/// Where the checks of one kind stand in one run of a container. Pure.
struct ProbeLife: Hashable, Sendable {
    enum Verdict: Hashable, Sendable { case none, passed, failed }

    let plan: ProbePlan
    /// When the next check begins; nil: not as long as nothing else happens.
    private(set) var due: Timestamp?
    /// The number of the check under way.
    private(set) var underWay: Int?
    private var count = 0
    private var streak = 0
    private var wasSuccess = false

    init(_ plan: ProbePlan) { self.plan = plan }

    /// Begins: the container has run since `start`.
    mutating func begin(start: Timestamp, now: Timestamp) {
        guard due == nil, underWay == nil else { return }
        due = max(now, start.adding(seconds: plan.initialDelaySeconds))
    }

    mutating func stop() {
        due = nil
        underWay = nil
    }

    /// The number of a check that begins now.
    mutating func start(now: Timestamp) -> Int? {
        guard let time = due, time <= now, underWay == nil else { return nil }
        count += 1
        underWay = count
        // A late look does not bring the following ones together.
        due = max(time.adding(seconds: plan.periodSeconds), now.adding(milliseconds: 1))
        return count
    }

    /// A check has ended.
    ///
    /// - Returns: what is known by it, when enough in a row said the same.
    mutating func take(number: Int, isSuccess: Bool, now: Timestamp) -> Verdict {
        guard underWay == number else { return .none }
        underWay = nil
        streak = isSuccess == wasSuccess ? streak + 1 : 1
        wasSuccess = isSuccess
        guard streak >= (isSuccess ? plan.successThreshold : plan.failureThreshold) else { return .none }
        return isSuccess ? .passed : .failed
    }

    mutating func clockMoved(by nanoseconds: Int) { due = due?.moved(by: nanoseconds) }

    /// When something is to be done next, if nothing happens.
    var wake: Timestamp? { underWay == nil ? due : nil }
}

extension Timestamp {
    func adding(seconds: Int) -> Timestamp {
        adding(nanoseconds: seconds.multipliedReportingOverflow(by: 1_000_000_000))
    }
    func adding(milliseconds: Int) -> Timestamp { adding(nanoseconds: (milliseconds * 1_000_000, false)) }

    /// Beyond what can be held it is the end of time.
    private func adding(nanoseconds span: (partialValue: Int, overflow: Bool)) -> Timestamp {
        let sum = nanoseconds.addingReportingOverflow(span.partialValue)
        return Timestamp(nanoseconds: span.overflow || sum.overflow ? .max : sum.partialValue)
    }
}
