import Linux

/// Somebody who answers a payload with a payload: a function, or a service over HTTP.
package protocol PayloadAnswerer: Sendable {
    /// - Throws: `PayloadFailure` that says whether anything was done.
    func answer(_ payload: CallPayload) async throws(PayloadFailure) -> PayloadAnswer
}

/// Why there is no answer.
package enum PayloadFailure: Error, Hashable, Sendable {
    /// Nothing was done: the original may do it.
    case notRun(String)
    /// It may have been done.
    case unknown(String)
}

/// Answers calls through a function or a service: standard input is read to its end and becomes the payload, the answer
/// becomes standard output, a failure goes to standard error with exit status 1.
///
/// Nothing but input and words reaches the other side. Signals end the call, as they end a program that does not handle
/// them; what the function or service has begun goes on.
package struct PayloadTarget: CallTarget {
    let answerer: any PayloadAnswerer

    package init(_ answerer: any PayloadAnswerer) { self.answerer = answerer }

    package func obstacles(to call: ShimCall) -> [String] {
        let surroundings = call.surroundings
        return surroundings.obstacles.filter { obstacle in
            switch obstacle {
            // A function has no descriptors, signals, directory or rights of its caller's anyway.
            case .terminal, .unreadable: true
            case .closedStream(let number): number == 1
            case .inherits, .otherNamespaces, .systemCallFilter, .raisedRights, .scheduling,
                .directory:
                false
            }
        }.map(\.description)
    }

    package func run(_ call: ShimCall, _ streams: CallStreams, _ control: CallControl) async -> CallEnd {
        let taken = streams.take()
        let start = position(taken.input)
        control.commit(CallToken())
        let ended = EndingSignal()
        control.listen { ended.arrived($0) }
        let input: [UInt8]
        do { input = try await PayloadStreams.readAll(taken.input, limit: CallPayload.inputLimit) } catch {
            if error.code == .messageTooLong, let start, let file = taken.input {
                try? Files.seek(file.raw, to: start)
                return .refused("its input is longer than \(CallPayload.inputLimit) bytes")
            }
            return .lost("its input cannot be read: \(error)")
        }
        let payload = CallPayload(head: call.head, directory: call.surroundings.directory, input: input)
        let answering = Task { [answerer] in
            do throws(PayloadFailure) {
                return Result<PayloadAnswer, PayloadFailure>.success(try await answerer.answer(payload))
            } catch { return .failure(error) }
        }
        ended.onSignal { answering.cancel() }
        let result = await withTaskCancellationHandler {
            await answering.value
        } onCancel: {
            answering.cancel()
        }
        if let number = ended.number { return .ended(.signaled(number, coreDumped: false), nil) }
        switch result {
        case .success(let answer): return await write(answer, taken)
        case .failure(.notRun(let reason)): return giveBack(input, taken.input, start, reason)
        case .failure(.unknown(let reason)): return .lost(reason)
        }
    }

    private func position(_ input: SharedFD?) -> Int? {
        guard let input, (try? Files.status(of: input.raw).kind) == .regular else { return nil }
        return try? Files.position(of: input.raw)
    }

    private func giveBack(_ input: [UInt8], _ source: SharedFD?, _ start: Int?, _ reason: String) -> CallEnd {
        if let start, let source {
            try? Files.seek(source.raw, to: start)
            return .refused(reason)
        }
        guard source != nil, !input.isEmpty else { return .refused(reason) }
        do throws(SystemError) {
            let copy = SharedFD(try Files.memory(named: "input of a call"))
            try Files.writeAll(input, to: copy.raw)
            try Files.rewind(copy.raw)
            return .returned(reason, input: copy)
        } catch { return .lost("\(reason); and its input cannot be given back: \(error)") }
    }

    private func write(_ answer: PayloadAnswer, _ taken: CallStreams.Taken) async -> CallEnd {
        do throws(SystemError) {
            try await PayloadStreams.write(answer.output, to: taken.output)
            try await PayloadStreams.write(answer.errors, to: taken.errors)
            return .ended(.exited(answer.status), nil)
        } catch  where error.code == .brokenPipe {
            return .ended(.signaled(Signal.pipe, coreDumped: false), nil)
        } catch {
            // A full disk: as a program that cannot write its output.
            return .ended(.exited(1), nil)
        }
    }
}
