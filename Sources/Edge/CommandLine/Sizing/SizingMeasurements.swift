import Deploying
import Engine
import JSON
import Lambda
import Linux
import Metering
import RightSizing
import Sandbox

/// The ways to a node by which `recommend` asks and changes: its public APIs.
struct SizingNode: Sendable {
    let lambda: LambdaClient
    let client: NodeClient
    let shifts: ShiftDoor
    /// nil: the node serves no Kubernetes API.
    let cluster: SizingCluster?

    static func open(_ flags: NodeFlags) async throws -> SizingNode {
        let directories = try flags.directories()
        let client = try await flags.connect()
        return SizingNode(
            lambda: LambdaClient(directories), client: client, shifts: ShiftDoor(directories),
            cluster: try await SizingCluster.open(client))
    }

    func close() async { await cluster?.close() }
}

/// Asks a node what was measured of everything that it runs, and what that says.
struct SizingMeasurements {
    /// Calls of one function that are looked at: the newest. The node gives no more at once.
    private static let callLimit = 10_000

    let node: SizingNode
    let ground: SizingGround
    /// Only calls from then on.
    let from: String?
    let watchSeconds: Int

    static func open(_ node: SizingNode, from: String?, watchSeconds: Int, _ rules: SizingRules) async throws -> SizingMeasurements {
        do throws(LambdaFailure) {
            let today = String("\(Clock.now())".prefix(10))
            let report = try await node.lambda.call(.page("report", [("from", today)]))
            let pools = try await node.lambda.call(.page("pools"))
            let prices: PriceBook
            do { prices = try PriceBook(JSONWriter.bytes(report["prices"] ?? .null)) } catch {
                throw LambdaFailure.service("read the node's price book: \(error)")
            }
            let processors: Int
            do { processors = try MachineCapacity.ofThisMachine().cpus.count } catch {
                throw LambdaFailure.service("look at this machine: \(error)")
            }
            let ground = SizingGround(
                prices: prices, processors: processors, memoryLimitMB: Int(pools["MemoryMB"]?.integer ?? 10_240), rules: rules)
            return SizingMeasurements(node: node, ground: ground, from: from, watchSeconds: watchSeconds)
        } catch { throw CommandFailure(error.sentence) }
    }

    /// Of everything, or of what is named: others are not asked about in detail.
    func advices(only names: [String]) async throws -> [Advice] {
        func isWanted(_ kind: Advice.Kind, _ name: String) -> Bool {
            names.isEmpty || names.contains(name) || names.contains("\(kind.rawValue)/\(name)")
        }
        var advices: [Advice] = []
        do throws(LambdaFailure) {
            for function in try await node.lambda.list("/2015-03-31/functions/", "Functions") {
                guard let name = function["FunctionName"]?.string, isWanted(.function, name) else { continue }
                advices.append(FunctionSizing.advice(try await measured(function, name), ground))
            }
        } catch { throw CommandFailure(error.sentence) }
        for shift in try await shifts() {
            guard let measured = MeasuredShift(shift, now: Clock.now()), isWanted(.shift, measured.id) else { continue }
            advices.append(ShiftSizing.advice(measured, ground.rules))
        }
        let running = try await RunningContainers.look(node.client, watchSeconds: watchSeconds)
        for container in running.alone where isWanted(.container, container.name) {
            advices.append(ContainerSizing.advice(container, ground))
        }
        for deployment in try await node.cluster?.deployments(running) ?? [] {
            let advice = ContainerSizing.advice(deployment, ground)
            if isWanted(.deployment, advice.workload) { advices.append(advice) }
        }
        return advices
    }

    /// A node that cannot shift programs has none: it says why, and the rest is advised about.
    private func shifts() async throws -> [JSONValue] {
        do { return try await node.shifts.call("GET", "")["shifts"]?.array ?? [] } catch let failure as CommandFailure {
            StandardStreams.writeError("forkless: no shifts are looked at: \(failure)\n")
            return []
        }
    }

    // MARK: Functions

    private func measured(_ function: JSONValue, _ name: String) async throws(LambdaFailure) -> MeasuredFunction {
        var query = [("function", name), ("limit", "\(Self.callLimit)")]
        if let from { query.append(("from", from)) }
        var lines = WaitingLines()
        let calls = lines.take(try await node.lambda.bytes(.page("ledger", query))).compactMap { LedgerRecord(exported: $0)?.entry.call }
        let target = "/2019-09-30/functions/\(PathText.encoded(name))/provisioned-concurrency?List=ALL"
        var provisioned: [String: Int] = [:]
        for config in try await node.lambda.list(target, "ProvisionedConcurrencyConfigs") {
            guard let qualifier = config["FunctionArn"]?.string?.split(separator: ":").last else { continue }
            provisioned[String(qualifier)] = Int(config["RequestedProvisionedConcurrentExecutions"]?.integer ?? 0)
        }
        return MeasuredFunction(
            name: name, memoryMB: Int(function["MemorySize"]?.integer ?? 128), timeoutSeconds: Int(function["Timeout"]?.integer ?? 3),
            provisioned: provisioned, qualifier: Self.qualifier(calls), calls: calls)
    }

    /// By which most calls come; nil: by none, or `$LATEST`.
    private static func qualifier(_ calls: [MeteredCall]) -> String? {
        var counts: [Substring: Int] = [:]
        for call in calls {
            let parts = call.invokedARN.split(separator: ":", omittingEmptySubsequences: false)
            counts[parts.count > 7 ? parts[7] : "$LATEST", default: 0] += 1
        }
        let most = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        return most == nil || most == "$LATEST" ? nil : String(most!)
    }
}

extension LedgerRecord {
    /// Reads a line as `forkless ledger export` writes it; nil: it is none.
    init?(exported line: some Collection<UInt8>) {
        // {"record": RECORD ,"previous":"64 digits","hash":"64 digits"}
        let (before, after) = (10, 13 + 64 + 10 + 64 + 2)
        guard line.count > before + after else { return nil }
        do { self = try LedgerRecord(canonicalBytes: Array(line.dropFirst(before).dropLast(after))) } catch { return nil }
    }
}

extension MeasuredShift {
    /// As `GET /forkless/v1/shifts` tells of one; nil: it has no id.
    init?(_ json: JSONValue, now: Timestamp) {
        guard let id = json["id"]?.string else { return nil }
        func runs(_ name: String) -> Runs {
            let runs = json[name]
            return Runs(
                runs: Int(runs?["runs"]?.integer ?? 0), failures: Int(runs?["failures"]?.integer ?? 0),
                p95Seconds: runs?["p95Microseconds"]?.integer.map { Double($0) / 1e6 }, peakBytes: Int(runs?["peakBytes"]?.integer ?? 0))
        }
        let since = json["since"]?.string.flatMap { Timestamp($0) } ?? now
        self.init(
            id: id, program: json["program"]?.string ?? "", target: json["spec", "to"]?.string,
            isActive: json["phase"]?.string == "active", mode: json["mode"]?.string ?? "measure", percent: Int(json["percent"]?.integer ?? 0),
            isPromoted: !(json["spec", "promote"]?.array ?? []).isEmpty, compared: Int(json["compared"]?.integer ?? 0),
            differing: Int(json["differing"]?.integer ?? 0), original: runs("original"), candidate: runs("target"),
            seconds: Double(max(0, now.nanoseconds - since.nanoseconds)) / 1e9)
    }
}
