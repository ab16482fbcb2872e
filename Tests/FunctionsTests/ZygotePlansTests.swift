import Linux
import Sandbox
import Testing

@testable import Functions

/// The sandboxes of a zygote and its places.
@Suite struct ZygotePlansTests {
    private var cold: SandboxPlan {
        get throws {
            var plan = SandboxPlan()
            plan.systemCallFilter = try SeccompProfile.standard.compile().bytes
            plan.limits.memoryBytes = 128 << 20
            plan.limits.cpuMillis = 72
            plan.network = .given
            return plan
        }
    }

    @Test func `a place is a cold start's sandbox in a user namespace`() throws {
        let cold = try cold
        var place = ZygotePlans(cold).place
        #expect(place.namespaces.isSuperset(of: [.user, .pid, .network]))
        #expect(place.identityMap.firstUserOutside == 0 && place.identityMap.firstGroupOutside == 0)
        place.namespaces.remove(.user)
        place.identityMap = cold.identityMap
        place.usesInit = false
        place.network = .given
        #expect(place == cold)
    }

    @Test func `a zygote may enter whole sandboxes and nothing else`() throws {
        let cold = try cold
        var zygote = ZygotePlans(cold).zygote
        #expect(!zygote.namespaces.contains(.user))
        #expect(zygote.systemCallFilter != cold.systemCallFilter)
        #expect(ZygotePlans.everything == 0x1000_0000 | 0x2_0000 | 0x4000_0000 | 0x800_0000 | 0x400_0000 | 0x200_0000 | 0x2000_0000)
        #expect(zygote.limits.cpuMillis == nil && zygote.limits.memoryBytes == 128 << 20)
        zygote.systemCallFilter = cold.systemCallFilter
        zygote.limits = cold.limits
        zygote.network = .given
        #expect(zygote == cold)
    }
}
