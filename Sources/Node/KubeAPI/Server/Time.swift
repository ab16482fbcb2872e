import Linux

/// A time of day; the schema has a type of the same name for what texts say.
typealias Timestamp = Linux.Timestamp
/// What can be waited on; Linux has clocks of the same name that can only be read.
package typealias WaitingClock = _Concurrency.Clock<Duration>
