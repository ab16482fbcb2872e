internal import Linux
internal import Store
internal import Synchronization

/// Making, describing and removing queues.
extension DurableQueues {
    /// Makes a queue. One of that name with the same attributes is success; with others an error.
    package func create(
        _ name: String, attributes texts: [String: String], tags: [String: String], _ answer: @escaping Answer<Void>
    ) {
        guard QueueName.isValid(name) else {
            return answer(
                .failure(
                    .invalidParameter(
                        "The name of a queue can only include alphanumeric characters, hyphens, or underscores, 1 to 80 in "
                            + "length, and end with .fifo for a FIFO queue; not \(name).")))
        }
        var attributes = QueueAttributes(isFIFO: QueueName.isFIFO(name))
        if attributes.isFIFO, texts["FifoQueue"] != "true" {
            return answer(
                .failure(
                    .invalidParameter(
                        "The name of a queue that is not FIFO cannot end with .fifo: set FifoQueue = true.")))
        }
        do { try attributes.set(texts, isCreation: true) } catch { return answer(.failure(error)) }
        let wanted = attributes
        let now = clock.now
        perform(remembering(name, answer)) { [self] transaction throws(StoreFailure) in
            if let failure = try checkRedrive(wanted, of: name, transaction) { return .failure(failure) }
            if let record = try QueueTable.record(name, transaction) {
                // Only what was named is compared, as the service does it.
                let different = texts.keys.filter { wanted.texts[$0] != record.attributes.texts[$0] }
                guard different.isEmpty else {
                    return .failure(
                        QueueFailure(
                            "QueueNameExists", code: "QueueAlreadyExists",
                            "A queue already exists with the same name and a different value for attribute "
                                + different.sorted().joined(separator: ", ")))
                }
                return .success(record.attributes)
            }
            try QueueTable.write(
                .init(name: name, createdAt: now, changedAt: now, purgedAt: nil, attributes: wanted, tags: tags),
                transaction)
            return .success(wanted)
        }
    }

    /// Remembers what a transaction has made of a queue's attributes, nil being that it is gone, and then answers.
    private func remembering(_ name: String, _ answer: @escaping Answer<Void>) -> Answer<QueueAttributes?> {
        { [self] result in
            if case .success(let now) = result { attributes.withLock { $0[name] = now } }
            answer(result.map { _ in () })
        }
    }

    /// Changes attributes of a queue.
    package func setAttributes(_ texts: [String: String], of name: String, _ answer: @escaping Answer<Void>) {
        let now = clock.now
        perform(on: name, remembering(name, answer), news: [name]) { [self] record, transaction throws(StoreFailure) in
            var record = record
            do throws(QueueFailure) { try record.attributes.set(texts, isCreation: false) } catch {
                return .failure(error)
            }
            if texts["RedrivePolicy"] != nil, let failure = try checkRedrive(record.attributes, of: name, transaction) {
                return .failure(failure)
            }
            record.changedAt = now
            try QueueTable.write(record, transaction)
            return .success(record.attributes)
        }
    }

    /// All attributes of a queue as texts, counts of messages included.
    package func attributes(of name: String, _ answer: @escaping Answer<[String: String]>) {
        let now = clock.now
        let arn = place.arn(name)
        perform(on: name, answer) { record, transaction throws(StoreFailure) in
            var texts = record.attributes.texts
            texts["QueueArn"] = arn
            texts["CreatedTimestamp"] = "\(record.createdAt.nanoseconds / 1_000_000_000)"
            texts["LastModifiedTimestamp"] = "\(record.changedAt.nanoseconds / 1_000_000_000)"
            let counts = try transaction.first(
                """
                SELECT count(*) FILTER (WHERE visible_at <= ?2), count(*) FILTER (WHERE visible_at > ?2 AND receives > 0),
                    count(*) FILTER (WHERE visible_at > ?2 AND receives = 0) FROM queue_message WHERE queue = ?1
                """, [.text(name), StoreValue(now.nanoseconds)])!
            texts["ApproximateNumberOfMessages"] = "\(counts.integer(0)!)"
            texts["ApproximateNumberOfMessagesNotVisible"] = "\(counts.integer(1)!)"
            texts["ApproximateNumberOfMessagesDelayed"] = "\(counts.integer(2)!)"
            return .success(texts)
        }
    }

    /// The names of all queues that begin so, in order.
    package func names(prefix: String, _ answer: @escaping Answer<[String]>) {
        perform(answer) { transaction throws(StoreFailure) in
            .success(try QueueTable.all(transaction).map(\.name).filter { $0.hasPrefix(prefix) })
        }
    }

    package func exists(_ name: String, _ answer: @escaping Answer<Void>) {
        perform(on: name, answer) { _, _ in .success(()) }
    }

    /// Removes a queue with all its messages.
    package func delete(_ name: String, _ answer: @escaping Answer<Void>) {
        perform(on: name, remembering(name, answer), news: [name]) { record, transaction throws(StoreFailure) in
            try QueueTable.empty(record.name, andItself: true, transaction)
            return .success(nil)
        }
    }

    /// Removes all messages of a queue; once a minute, as the service allows it.
    package func purge(_ name: String, _ answer: @escaping Answer<Void>) {
        let now = clock.now
        perform(on: name, answer) { record, transaction throws(StoreFailure) in
            if let last = record.purgedAt, now - last < .seconds(60) {
                return .failure(
                    QueueFailure(
                        "PurgeQueueInProgress", "Only one PurgeQueue operation on \(name) is allowed every 60 seconds.")
                )
            }
            var record = record
            record.purgedAt = now
            try QueueTable.write(record, transaction)
            try QueueTable.empty(name, andItself: false, transaction)
            return .success(())
        }
    }

    /// Changes the tags of a queue.
    package func changeTags(
        of name: String, set: [String: String] = [:], remove: [String] = [], _ answer: @escaping Answer<Void>
    ) {
        perform(on: name, answer) { record, transaction throws(StoreFailure) in
            var record = record
            record.tags.merge(set) { $1 }
            for key in remove { record.tags[key] = nil }
            guard record.tags.count <= 50 else {
                return .failure(.invalidParameter("A queue can have 50 tags, not \(record.tags.count)."))
            }
            try QueueTable.write(record, transaction)
            return .success(())
        }
    }

    package func tags(of name: String, _ answer: @escaping Answer<[String: String]>) {
        perform(on: name, answer) { record, _ in .success(record.tags) }
    }

    /// The queues whose dead letters go to this one.
    package func sources(ofDeadLetters name: String, _ answer: @escaping Answer<[String]>) {
        let arn = place.arn(name)
        perform(on: name, answer) { _, transaction throws(StoreFailure) in
            .success(try QueueTable.all(transaction).filter { $0.attributes.redrive?.target == arn }.map(\.name))
        }
    }

    /// Why dead letters cannot go where a queue wants them to go.
    private func checkRedrive(
        _ attributes: QueueAttributes, of name: String, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> QueueFailure? {
        guard let redrive = attributes.redrive else { return nil }
        func wrong(_ reason: String) -> QueueFailure {
            .invalidParameter("Value for parameter RedrivePolicy is invalid. Reason: \(reason)")
        }
        guard let target = place.queue(arn: redrive.target) else {
            return wrong("\(redrive.target) is no ARN of a queue of this node.")
        }
        guard target != name else { return wrong("a queue cannot be its own dead-letter queue.") }
        guard let record = try QueueTable.record(target, transaction) else {
            return wrong("Dead letter target does not exist: \(redrive.target).")
        }
        guard record.attributes.isFIFO == attributes.isFIFO else {
            return wrong(
                "the dead-letter queue of a FIFO queue must be a FIFO queue, and of a standard queue a standard one.")
        }
        let isAllowed =
            switch record.attributes.redriveAllowance {
            case .all: true
            case .none: false
            case .queues(let arns): arns.contains(place.arn(name))
            }
        return isAllowed ? nil : wrong("the RedriveAllowPolicy of \(target) does not allow it.")
    }
}
