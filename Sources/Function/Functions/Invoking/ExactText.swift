/// A text that is equal to another when their UTF-8 is, as a database compares. Swift's own `==` takes "é" and "e" with a
/// combining accent for equal: two keys that are different in the ledger must not be one in memory.
struct ExactText: Hashable, Sendable {
    var text: String

    init(_ text: String) { self.text = text }

    static func == (a: ExactText, b: ExactText) -> Bool { a.text == b.text && a.text.utf8.elementsEqual(b.text.utf8) }

    // Coarser than equality, which a hash may be.
    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// A key or an order of one function, all of its versions together.
struct FunctionKey: Hashable, Sendable {
    var function: String
    var key: ExactText

    init(_ function: String, _ key: String) {
        self.function = function
        self.key = ExactText(key)
    }
}
