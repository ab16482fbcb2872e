import ExecDoor
import Linux
import Testing

struct CallAccountsTests {
    private func task(_ process: Int32, parent: Int32, last: Bool = true, cpu: Int, peak: Int = 0) -> EndedTask {
        var task = EndedTask(process: process, parent: parent, isLast: last)
        task.cpuNanoseconds = cpu
        task.peakResidentBytes = peak
        return task
    }

    @Test func `threads and descendants count with the process that is tracked`() {
        var accounts = CallAccounts()
        accounts.track(10)
        accounts.book(task(10, parent: 5, last: false, cpu: 1_000_000))
        accounts.book(task(12, parent: 11, cpu: 4_000_000, peak: 900))
        accounts.book(task(11, parent: 10, cpu: 2_000_000, peak: 100))
        #expect(!accounts.isComplete(10))
        accounts.book(task(10, parent: 5, cpu: 8_000_000, peak: 500))
        #expect(accounts.isComplete(10))
        let usage = accounts.take(10)
        #expect(usage?.cpuMicroseconds == 15_000)
        #expect(usage?.peakResidentBytes == 900)
        #expect(accounts.take(10) == nil)
    }

    @Test func `a descendant that outlives the process does not count`() {
        var accounts = CallAccounts()
        accounts.track(10)
        accounts.book(task(10, parent: 5, cpu: 1000_000))
        accounts.book(task(11, parent: 1, cpu: 9000_000))
        #expect(accounts.take(10)?.cpuMicroseconds == 1000)
    }

    @Test func `what a former process of the same number left does not count`() {
        var accounts = CallAccounts()
        accounts.book(task(11, parent: 10, cpu: 5_000_000))
        accounts.track(10)
        accounts.book(task(10, parent: 5, cpu: 1_000_000))
        #expect(accounts.take(10)?.cpuMicroseconds == 1000)
    }
}
