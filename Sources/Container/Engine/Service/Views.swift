package import Keeper
import Linux
import Networking
import OCI

extension ContainerSummary {
    package init(_ record: ContainerRecord) {
        let life = record.lifecycle
        let start = life.run?.start
        let words = record.spec.words
        self.init(
            id: record.id, name: record.name, program: words.first ?? "", arguments: Array(words.dropFirst()),
            phase: life.phase, createdAt: record.createdAt, startedAt: start?.startedAt,
            pid: life.phase.isActive ? start?.pid : nil, end: life.end, rung: record.spec.rung,
            labels: record.spec.labels)
        health = record.health?.status
        image = record.spec.image?.name ?? Self.root(of: record.spec)
    }

    private static func root(of spec: ContainerSpec) -> String {
        switch spec.root {
        case .host: spec.rung == .process ? "process" : "host"
        case .directory(let path): path
        case .overlay(let lower, _, _): lower.joined(separator: ":")
        }
    }
}

extension ContainerStarted {
    package init(_ record: ContainerRecord, _ report: StartReport) {
        self.init(
            id: record.id, name: record.name, pid: report.pid, startMicroseconds: report.startNanoseconds / 1000,
            wasPrepared: report.wasPrepared)
    }
}
