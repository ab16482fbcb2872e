import Engine

/// `--device OUTSIDE[:INSIDE[:PERMISSIONS]]`, or `OUTSIDE:PERMISSIONS`, as with Docker.
enum DeviceFlag {
    static func parse(_ text: String) throws(FlagError) -> ContainerDevice {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (1...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
            throw FlagError("--device", text, "not a device", advice: "Write one as in /dev/fuse or /dev/sdb:/dev/disk:rwm.")
        }
        var device = ContainerDevice(source: parts[0], target: parts[0])
        if parts.count == 3 {
            device.target = parts[1]
            device.permissions = parts[2]
        } else if parts.count == 2 {
            if parts[1].hasPrefix("/") { device.target = parts[1] } else { device.permissions = parts[1] }
        }
        return device
    }
}
