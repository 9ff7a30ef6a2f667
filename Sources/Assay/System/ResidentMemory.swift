import Foundation

/// The memory that this program uses.
enum ResidentMemory {
    /// The resident memory in bytes; `nil` where the system does not report it.
    static var bytes: Int? {
        // Total size and resident size, in pages.
        guard let contents = FileManager.default.contents(atPath: "/proc/self/statm") else { return nil }
        let fields = String(decoding: contents, as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
