import Linux
import TestKit
import Testing

/// Programs in C and Python do the same with the library as without it, while their forks leave memory out.
@Suite(.enabled(if: isRoot)) struct PreloadTests {
    @Test func `a child sees its parent's memory`() async throws {
        let stage = try await PreloadStage.shared.value
        try await stage.same("contents") { $0.windows == 2 }
        try await stage.same("kernel") { $0.windows == 2 }
        try await stage.same("heap") { $0.windows == 2 }
        #expect(try await stage.same("stack").windows == 1)
    }

    @Test func `mappings of every kind are in the child as fork would have left them`() async throws {
        let stage = try await PreloadStage.shared.value
        #expect(try await stage.same("kinds").windows == 1)
        #expect(try await stage.same("growing").windows == 1)
        // A program that advises its own memory against forks is left alone.
        #expect(try await stage.same("advice").windows == 0)
    }

    @Test func `neither sees what the other writes`() async throws {
        #expect(try await PreloadStage.shared.value.same("isolation").windows == 1)
    }

    @Test func `a child that stays becomes independent, and a later ordinary fork copies all`() async throws {
        let run = try await PreloadStage.shared.value.same("staying")
        #expect(run.windows == 1 && run.settled == 1)
    }

    @Test func `a child may move, unmap, empty and protect what it does not have yet`() async throws {
        try await PreloadStage.shared.value.same("mappings") { $0.windows == 3 && $0.settled == 1 }
    }

    @Test func `ends, family, accounting and signals are those of a child`() async throws {
        let stage = try await PreloadStage.shared.value
        try await stage.same("ends") { $0.windows == 3 }
        #expect(try await stage.same("crash").windows == 1)
        #expect(try await stage.same("accounting").windows == 1)
        try await stage.same("signals") { $0.windows == 2 }
        try await stage.same("identities") { $0.windows == 2 }
        #expect(try await stage.same("namespace").windows == 1)
    }

    @Test func `handlers of pthread_atfork run once, in their order`() async throws {
        #expect(try await PreloadStage.shared.value.same("handlers").windows == 1)
    }

    @Test func `a child of the window forks again`() async throws {
        let stage = try await PreloadStage.shared.value
        for name in ["nested", "nested-plain", "nested-clone", "nested-closed"] {
            let run = try await stage.same(name)
            #expect(run.windows == 1 && run.settled == 1, "\(name)")
        }
        // What shares the child's memory needs nothing.
        try await stage.same("nested-shared") { $0.windows == 3 && $0.settled == 0 }
    }

    @Test func `every form of exec ends a window, and a refused one does not`() async throws {
        // Two forks before each of the fourteen, of which the first two are those from which the place is learned.
        try await PreloadStage.shared.value.same("forms") { $0.windows >= 14 }
    }

    @Test func `the lowest descriptors are free, and a child may close them all`() async throws {
        try await PreloadStage.shared.value.same("descriptors") { $0.windows >= 4 && $0.settled == 1 }
    }

    @Test func `the parent keeps nothing of a window`() async throws {
        try await PreloadStage.shared.value.same("leftovers") { $0.windows >= 50 }
    }

    @Test func `vfork, posix_spawn, system and popen are left alone`() async throws {
        #expect(try await PreloadStage.shared.value.same("others").windows == 0)
    }

    @Test func `a thread that is gone does not matter, one that is there makes forks ordinary`() async throws {
        let stage = try await PreloadStage.shared.value
        try await stage.same("thread-gone") { $0.windows == 1 }
        let beside = try await stage.same("thread-there")
        #expect(beside.windows == 0)
        #expect(try await stage.same("thread-many").windows == 0)
        #expect(beside.log.contains { $0.contains("this process has 2 threads: its forks are ordinary ones") })
    }

    @Test func `Python's processes are what they were`() async throws {
        let stage = try await PreloadStage.shared.value
        let words = ["python3", "\(PreloadStage.fixtures)/parents.py"]
        // multiprocessing forks where os.fork and exec did: that place is an ordinary one from then on.
        try await stage.same(words) { $0.windows >= 5 && $0.settled == 1 }
    }

    @Test func `the legacy engine values the same trades`() async throws {
        let stage = try await PreloadStage.shared.value
        let scratch = try TemporaryDirectory("preload-engine")
        let source = PreloadStage.root + "/Examples/legacy-risk"
        let built = try await CommandRunner.run(["make", "-s", "-C", source, "OUT=\(scratch.path)"])
        try #require(built.status.isSuccess, "\(built.errorText)")
        let trades = try Files.readText(source + "/trades.csv").split(separator: "\n").prefix(60)
        try scratch.write(trades.joined(separator: "\n") + "\n", to: "trades.csv")
        func words(_ results: String) -> [String] {
            [
                scratch.path("risk-engine"), "--trades", scratch.path("trades.csv"), "--results", scratch.path(results),
                "--cache-mib", "64", "--workers", "4", "--pricer", scratch.path("pricer"),
            ]
        }
        #expect(try await stage.plainly(words("plain.csv")).status.isSuccess)
        let run = try await stage.preloaded(words("preloaded.csv"))
        #expect(run.status.isSuccess, "\(run.text)")
        #expect(run.windows > 30 && run.settled == 0)
        #expect(try Files.readText(scratch.path("preloaded.csv")) == Files.readText(scratch.path("plain.csv")))
    }

    @Test func `static, 32-bit and setuid programs are started and see no library`() async throws {
        let stage = try await PreloadStage.shared.value
        let scratch = try TemporaryDirectory("preload-foreign")
        let main = try scratch.write("int main(void) { return 8; }", to: "static.c")
        let small = try scratch.write(".globl _start\n_start: mov $1, %eax\n mov $7, %ebx\n int $0x80\n", to: "small.s")
        let build = """
            cd \(scratch.path) && cc -static -o static \(main) && as --32 -o small.o \(small) && ld -m elf_i386 -o small small.o \
            && cp /usr/bin/id . && chown 65534 id && chmod u+s id && chmod 755 .
            """
        let built = try await CommandRunner.run(["sh", "-c", build])
        try #require(built.status.isSuccess, "\(built.errorText)")
        let script = "cd \(scratch.path); ./static; echo $?; ./small; echo $?; ./id -u"
        #expect(try await stage.preloaded(["sh", "-c", script]).text == "8\n7\n65534\n")
    }
}
