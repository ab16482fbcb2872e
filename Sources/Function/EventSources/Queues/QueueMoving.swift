internal import Linux
internal import Store

/// Dead letters go back: tasks run step by step.
extension DurableQueues {
    func startMove(
        source: String, destination: String?, perSecond: Int?, _ answer: @escaping Answer<String>
    ) {
        let now = clock.now
        let arn = place.arn(source)
        let begin: Answer<QueueMoves.Task> = { [self] result in
            if case .success(let task) = result { goOn(moving: task.handle, perSecond: task.perSecond) }
            answer(result.map(\.handle))
        }
        perform(begin) { transaction throws(StoreFailure) in
            guard try QueueTable.record(source, transaction) != nil else { return .failure(Self.noSource(source)) }
            guard try QueueTable.all(transaction).contains(where: { $0.attributes.redrive?.target == arn }) else {
                return .failure(
                    .invalidParameter("Source queue must be configured as a Dead Letter Queue: \(arn) is none."))
            }
            if let destination, try QueueTable.record(destination, transaction) == nil {
                return .failure(Self.noSource(destination))
            }
            if let destination, QueueName.isFIFO(destination) != QueueName.isFIFO(source) {
                return .failure(
                    .invalidParameter(
                        "Messages of \(source) can go to \(destination) only if both are FIFO queues or none is."))
            }
            if try QueueMoves.tasks(of: source, transaction).contains(where: { $0.status == .running }) {
                return .failure(
                    .unsupported(
                        "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
                    ))
            }
            return .success(
                try QueueMoves.start(
                    source: source, destination: destination, perSecond: perSecond, now: now, transaction))
        }
    }

    func moves(of source: String, _ answer: @escaping Answer<[QueueMoves.Task]>) {
        perform(answer) { transaction throws(StoreFailure) in
            guard try QueueTable.record(source, transaction) != nil else { return .failure(Self.noSource(source)) }
            return .success(try QueueMoves.tasks(of: source, transaction))
        }
    }

    func cancelMove(_ handle: String, _ answer: @escaping Answer<Int>) {
        perform(answer) { transaction throws(StoreFailure) in
            guard let task = try QueueMoves.task(handle, transaction), task.status == .running else {
                return .failure(.noTask("There is no task \(handle) that is running."))
            }
            try QueueMoves.setStatus(handle, .cancelled, transaction)
            return .success(task.moved)
        }
    }

    /// One step of a task, and those after it.
    func goOn(moving handle: String, perSecond: Int?) {
        let limit = min(perSecond ?? QueueMoves.stepLimit, QueueMoves.stepLimit)
        let now = clock.now
        let place = place
        store.enqueue { transaction throws(StoreFailure) in
            try QueueMoves.step(handle, limit: limit, place: place, now: now, transaction)
        } then: { [self] result in
            switch result {
            case .success(nil): break
            case .success(let step?):
                for queue in step.targets { hasNews(queue) }
                guard step.task.status == .running else { return }
                let pause = perSecond.map { .seconds(1) * (Double(limit) / Double($0)) } ?? Duration.zero
                if pause == .zero { return goOn(moving: handle, perSecond: perSecond) }
                clock.at(now + pause) { [self] in goOn(moving: handle, perSecond: perSecond) }
            // The task stands in the database: it goes on when the disk does.
            case .failure: clock.at(now + .seconds(1)) { [self] in goOn(moving: handle, perSecond: perSecond) }
            }
        }
    }

    private static func noSource(_ name: String) -> QueueFailure {
        .noTask("The resource that you specified doesn't exist: the queue \(name).")
    }
}
