import Linux

/// A signal by name or number: TERM, SIGTERM, 15.
enum SignalFlag {
    static func parse(_ text: String, flag: String) throws(FlagError) -> Int32 {
        guard let number = Signal.number(of: text) else {
            throw FlagError(flag, text, "not a signal", advice: "Write a name or a number of signal(7): TERM, SIGHUP, 9.")
        }
        return number
    }
}

/// Whole seconds.
enum SecondsFlag {
    static func parse(_ text: String, flag: String) throws(FlagError) -> Int {
        guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let seconds = Int(text), seconds < 1 << 31 else {
            throw FlagError(flag, text, "not a number of seconds", advice: "Write a whole number: 10.")
        }
        return seconds
    }
}
