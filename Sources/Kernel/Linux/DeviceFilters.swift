import CKernel

/// Programs that the kernel asks before a process of a v2 cgroup opens or makes a device node, bpf(2).
package enum DeviceFilters {
    /// Makes this program the one that decides in the cgroup: those that other calls attached to it go, and those of the
    /// groups above stay. There is no moment without any.
    ///
    /// - Parameters:
    ///   - program: An array of struct bpf_insn.
    ///   - cgroup: The cgroup's directory, opened for reading (a place opened O_PATH does not do).
    /// - Throws: `SystemError`; EINVAL when the kernel's checker refuses the program, EPERM without privilege.
    package static func replace(with program: [UInt8], in cgroup: CInt) throws(SystemError) {
        let before = try attached(to: cgroup)
        let loaded = try load(program)
        if before.count == 1 {
            let old = try open(before[0])
            try call("replace the device program of a cgroup") {
                ck_bpf_attach_device_program(cgroup, loaded.raw, old.raw)
            }
            return
        }
        try call("attach a device program to a cgroup") { ck_bpf_attach_device_program(cgroup, loaded.raw, -1) }
        for id in before {
            let old = try open(id)
            try call("detach a device program from a cgroup") { ck_bpf_detach_device_program(cgroup, old.raw) }
        }
    }

    /// The ids of the programs that are attached to the cgroup itself.
    package static func attached(to cgroup: CInt) throws(SystemError) -> [UInt32] {
        // BPF_CGROUP_MAX_PROGS
        var ids = [UInt32](repeating: 0, count: 64)
        let count = try call("list the device programs of a cgroup") {
            ids.withUnsafeMutableBufferPointer { ck_bpf_device_programs(cgroup, $0.baseAddress!, UInt32($0.count)) }
        }
        return Array(ids.prefix(count))
    }

    private static func load(_ program: [UInt8]) throws(SystemError) -> OwnedFD {
        OwnedFD(
            adopting: CInt(
                try call("load a device program", "of \(program.count / 8) instructions") {
                    program.withUnsafeBytes { ck_bpf_load_device_program($0.baseAddress!, UInt32($0.count / 8)) }
                }))
    }

    private static func open(_ id: UInt32) throws(SystemError) -> OwnedFD {
        OwnedFD(adopting: CInt(try call("open device program", "\(id)") { ck_bpf_open_program(id) }))
    }
}
