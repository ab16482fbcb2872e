import Linux
import Testing

@testable import Observation

@Suite struct TracedTasksTests {
    @Test func `a child that is seen before its fork waits for it`() {
        var tasks = TracedTasks(root: 10)
        #expect(tasks.take(11, .started) == [])
        #expect(
            tasks.take(10, .cloned, message: 11) == [
                .forked(parent: 10, child: 11), .resume(10, signal: 0), .resume(11, signal: 0),
            ])
    }

    @Test func `a child that is seen after its fork goes on at once`() {
        var tasks = TracedTasks(root: 10)
        #expect(tasks.take(10, .cloned, message: 11) == [.forked(parent: 10, child: 11), .resume(10, signal: 0)])
        #expect(tasks.take(11, .started) == [.resume(11, signal: 0)])
    }

    @Test func `a thread is no process`() {
        var tasks = TracedTasks(root: 10)
        #expect(tasks.take(10, .cloned, message: 11, isThread: true) == [.resume(10, signal: 0)])
        #expect(tasks.take(11, .cloned, message: 12) == [.forked(parent: 10, child: 12), .resume(11, signal: 0)])
        #expect(tasks.take(11, .ended(.exited(0))) == [])
        #expect(tasks.take(10, .ended(.exited(3))) == [.exited(process: 10, .exited(3))])
        #expect(tasks.count == 1)
    }

    @Test func `a thread that executes is the process from then on`() {
        var tasks = TracedTasks(root: 10)
        _ = tasks.take(10, .cloned, message: 11, isThread: true)
        #expect(tasks.take(10, .executed, message: 11) == [.executed(process: 10), .resume(10, signal: 0)])
        #expect(tasks.count == 1)
    }

    @Test func `every stop is answered once`() {
        let stops: [Tracing.Stop] = [
            .started, .groupStop, .signal(15), .executed, .ending, .other, .filtered, .systemCall, .cloned,
        ]
        for stop in stops {
            var tasks = TracedTasks(root: 10)
            let answers = tasks.take(10, stop, message: 11).filter { action in
                switch action {
                case .resume(10, _), .listen(10), .called: true
                default: false
                }
            }
            #expect(answers.count == 1, "\(stop)")
        }
    }

    @Test func `what wait says is taken apart`() {
        #expect(Tracing.Stop(waitStatus: 0x0300) == .ended(.exited(3)))
        #expect(Tracing.Stop(waitStatus: 0x8b) == .ended(.signaled(11, coreDumped: true)))
        #expect(Tracing.Stop(waitStatus: 0x0f7f) == .signal(15))
        #expect(Tracing.Stop(waitStatus: 0x857f) == .systemCall)
        #expect(Tracing.Stop(waitStatus: 0x4057f) == .executed)
        #expect(Tracing.Stop(waitStatus: 0x6057f) == .ending)
        #expect(Tracing.Stop(waitStatus: 0x80057f) == .started)
        #expect(Tracing.Stop(waitStatus: 0x80137f) == .groupStop)
    }
}
