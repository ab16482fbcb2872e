import Testing

@testable import Linux

@Suite struct NetworkNamespaceTests {
    private let idle = """
        sockets: used 13
        TCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0
        UDP: inuse 0 mem 0
        RAW: inuse 0
        FRAG: inuse 0 memory 0
        """

    @Test func `a network namespace is passed on only without a trace of the one before`() {
        #expect(NetworkNamespace.hasNoSockets(idle))
        for trace in ["TCP: inuse 1", "TCP: inuse 0 orphan 1", "TCP: inuse 0 orphan 0 tw 1", "UDP: inuse 2", "RAW: inuse 1"] {
            #expect(!NetworkNamespace.hasNoSockets(idle + "\n" + trace), "\(trace)")
        }
    }
}
