package import Sandbox

extension ContainerEngine {
    /// What containers use now, by id; those that do not run, or ended meanwhile, are left out. No rate is waited for.
    package func usage(of containers: [String]) async -> [String: CgroupUsage] {
        var usage: [String: CgroupUsage] = [:]
        for id in containers {
            guard let worker = try? registry.find(id), let sandbox = try? runningSandbox(worker) else { continue }
            usage[id] = try? await link.usage(of: sandbox)
        }
        return usage
    }
}
