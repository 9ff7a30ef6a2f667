import CSpawn
import Foundation

/// The status of a regular file. While the status is the same, so is the content, once the file's times are old enough.
package struct FileStamp: Hashable, Sendable {
    /// The device, and the number of the file on it.
    package let device, inode: UInt64
    /// The size in bytes.
    package let size: Int64
    /// The times of the last change to the content, and to anything about the file, in nanoseconds since 1970.
    package let modified, changed: Int64

    /// Creates a stamp from the given parts.
    package init(device: UInt64, inode: UInt64, size: Int64, modified: Int64, changed: Int64) {
        (self.device, self.inode, self.size) = (device, inode, size)
        (self.modified, self.changed) = (modified, changed)
    }

    init(_ found: stat) {
        var (modified, changed) = (CLongLong(), CLongLong())
        withUnsafePointer(to: found) { assay_times($0, &modified, &changed) }
        self.init(
            device: UInt64(truncatingIfNeeded: found.st_dev), inode: UInt64(found.st_ino), size: Int64(found.st_size),
            modified: modified, changed: changed)
    }

    /// The minimum age of a file's times for its stamp to be trusted, in nanoseconds: a file may be written twice
    /// within one tick of its clock.
    static let age: Int64 = 2_000_000_000

    /// Returns whether content that was read at `moment` is the content of every file with this stamp.
    package func isTrusted(at moment: Timestamp) -> Bool {
        let (now, overflow) = moment.milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return !overflow && max(modified, changed) <= now - Self.age
    }
}
