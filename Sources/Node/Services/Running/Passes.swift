/// Work that looks at everything there is when it begins: whoever asks for a pass while one is under way shares the next.
///
/// Invariant: a pass that was asked for begins after it was asked for, and at once when none is under way.
/// (tests: `those who ask during a pass share the next one`, `a pass begins at once when there is none`)
actor Passes {
    private var running: Task<Void, Never>?
    private var next: Task<Void, Never>?

    /// A pass that begins from now on.
    ///
    /// - Parameter body: the same for everybody.
    @discardableResult
    func request(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        if let next { return next }
        let before = running
        let pass = Task {
            await before?.value
            self.begin()
            await body()
        }
        next = pass
        return pass
    }

    private func begin() {
        running = next
        next = nil
    }
}
