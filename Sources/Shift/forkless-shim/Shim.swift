// forkless-shim: what is executed in a program's place while that program is shifted.
//
// Written in Embedded Swift without a C library, because it is started for every call: glibc's start-up alone costs more
// than everything here. It asks the node at its socket what is to be done with this call; whatever goes wrong before the
// node has committed itself, the original is executed as if the shim had not been there. The messages are described in
// docs/exec-door.md; ShimWire is the node's side of them.
//
// Invariants
// 1. Until a target is committed nothing of the caller's was read, written, closed or changed, and the original starts
//    with no descriptor, signal mask or disposition of the shim's.
//    (test: `the original gets exactly what the caller gave`)
// 2. The wait for a decision is bounded by the time in the record.
//    (test: `a node that does not answer is not waited for`)
import CKernelBare

/// One run of the shim. It allocates nothing: what it needs lies in the memory that its start has taken from the stack.
struct Shim {
    let arguments: UnsafeMutablePointer<UInt>
    let environment: UnsafeMutablePointer<UInt>
    let argumentCount: Int
    let environmentCount: Int
    let record: Record
    let memory: Memory
    var socket: Int32 = -1

    /// - Parameter stack: what the kernel has left there: the count, arguments, nil, environment, nil.
    init(_ stack: UnsafeMutablePointer<UInt>, _ record: UnsafeRawPointer, _ memory: UnsafeMutableRawPointer) {
        argumentCount = Int(stack[0])
        arguments = stack + 1
        environment = arguments + argumentCount + 1
        var count = 0
        while environment[count] != 0 { count += 1 }
        environmentCount = count
        self.record = Record(at: record)
        self.memory = Memory(at: memory)
    }
}

/// What was written into this copy of the shim; `ShimRecord` has the layout.
struct Record {
    let at: UnsafeRawPointer

    var decisionMilliseconds: UInt32 { at.load(fromByteOffset: 16, as: UInt32.self) }
    var resumeSeconds: UInt32 { at.load(fromByteOffset: 20, as: UInt32.self) }
    var shift: UnsafeRawPointer { at + 24 }
    var socketPath: UnsafeRawPointer { at + 64 }
    var original: UnsafePointer<CChar> { (at + 176).assumingMemoryBound(to: CChar.self) }
}

/// The working memory by purpose, 8192 bytes.
struct Memory {
    let at: UnsafeMutableRawPointer

    var head: UnsafeMutableRawPointer { at }
    var answer: UnsafeMutableRawPointer { at + 64 }
    var control: UnsafeMutablePointer<ckb_control> { (at + 128).assumingMemoryBound(to: ckb_control.self) }
    var address: UnsafeMutablePointer<sockaddr_un> { (at + 256).assumingMemoryBound(to: sockaddr_un.self) }
    /// The descriptors of the last answer, -1 where there was none.
    var descriptors: UnsafeMutablePointer<Int32> { (at + 384).assumingMemoryBound(to: Int32.self) }
    var signal: UnsafeMutablePointer<ckb_signal> { (at + 448).assumingMemoryBound(to: ckb_signal.self) }
    /// For an error's sentence, 4 KiB and more.
    var line: UnsafeMutablePointer<UInt8> { (at + 640).assumingMemoryBound(to: UInt8.self) }
    /// For what a relay copies, 4 KiB.
    var bytes: UnsafeMutableRawPointer { at + 2048 }

    static let copiedBytes = 4096
    static let descriptorLimit = 4
}

@_cdecl("shim_main")
func main(
    _ stack: UnsafeMutablePointer<UInt>, _ record: UnsafeRawPointer, _ memory: UnsafeMutableRawPointer
) -> Never {
    var shim = Shim(stack, record, memory)
    let milliseconds = shim.record.decisionMilliseconds
    var left = ckb_time(seconds: Int64(milliseconds / 1000), nanoseconds: Int64(milliseconds % 1000) * 1_000_000)
    guard shim.connect(), shim.sendCall(&left), shim.waits(for: Poll.input, &left) else { shim.executeOriginal() }
    let answer = shim.receive()
    switch answer.kind {
    case Answer.original: shim.executeOriginal(open: shim.memory.descriptors[0])
    case Answer.shadow: shim.executeShadowed(streams: answer.flags)
    case Answer.target: shim.runElsewhere()
    // The end of the connection, another version, anything else.
    default: shim.executeOriginal()
    }
}

extension Shim {
    /// Replaces this process by the original, and says why when that fails.
    func executeOriginal(open descriptor: Int32 = -1) -> Never {
        // By descriptor first: then /proc/self/exe is the path that callers know. It is never given for a script, whose
        // interpreter could not open it.
        if descriptor >= 0 { _ = ckb_execute_open(descriptor, arguments, environment) }
        let result = ckb_execute(record.original, arguments, environment)
        complain(-result)
        // As a shell reports it: 127 when there is no such program, 126 when it cannot be executed.
        exit(result == -2 ? 127 : 126)
    }

    func exit(_ status: Int32) -> Never {
        while true { _ = ckb_exit(status) }
    }

    /// "forkless-shim: execute PATH: errno N" to standard error.
    private func complain(_ code: Int) {
        var count = append("forkless-shim: execute ", at: 0)
        var path = record.original
        while path.pointee != 0 {
            memory.line[count] = UInt8(bitPattern: path.pointee)
            count += 1
            path += 1
        }
        count = append(": errno ", at: count)
        var divisor = 100
        while divisor > 0 {
            if code >= divisor || divisor == 1 {
                memory.line[count] = UInt8(truncatingIfNeeded: 48 + code / divisor % 10)
                count += 1
            }
            divisor /= 10
        }
        memory.line[count] = 10
        _ = ckb_write(2, memory.line, count + 1)
    }

    private func append(_ text: StaticString, at start: Int) -> Int {
        for offset in 0..<text.utf8CodeUnitCount { memory.line[start + offset] = text.utf8Start[offset] }
        return start + text.utf8CodeUnitCount
    }
}
