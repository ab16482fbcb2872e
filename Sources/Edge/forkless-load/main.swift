import Glibc

// forkless-load SOCKET: has a keeper start programs and times it, for Benchmarks/.
//
// It is no product. It stands in this package because only from here can the keeper's protocol be spoken; what is
// compared with what, and how it is shown, is decided over there. Each line of standard input is one request, words
// separated by tabs; each gets one line of answer, "ok" and words, or "failed" and a sentence. All times are
// nanoseconds.

guard CommandLine.arguments.count == 2 else {
    answer(["failed", "usage: forkless-load SOCKET"])
    exit(2)
}

do {
    var load = try Load(KeeperClient(socket: CommandLine.arguments[1]))
    answer(["ok"])
    while let line = readLine() {
        do {
            answer(["ok"] + (try load.perform(line.split(separator: "\t").map(String.init))))
        } catch {
            answer(["failed", "\(error)"])
        }
    }
} catch {
    answer(["failed", "\(error)"])
    exit(1)
}

func answer(_ words: [String]) {
    print(words.joined(separator: "\t"))
    fflush(nil)
}
