import Glibc
import Linux

/// Errors by name, as strace writes them.
enum ErrnoNames {
    static let numbers: [String: Int] = {
        var numbers: [String: Int] = [:]
        for number in 1...133 { numbers[Errno(CInt(number)).name] = number }
        numbers["EWOULDBLOCK"] = Int(EAGAIN)
        return numbers
    }()
}
