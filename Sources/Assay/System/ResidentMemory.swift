import Foundation

/// How much memory this program has in use.
enum ResidentMemory {
    /// Bytes that are in memory now; `nil` where the system does not say.
    static var bytes: Int? {
        // Total size and resident size, in pages.
        guard let contents = FileManager.default.contents(atPath: "/proc/self/statm") else { return nil }
        let fields = String(decoding: contents, as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
