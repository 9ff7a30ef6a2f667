import Foundation

/// A disk in a file. A copy of the file is what would be on the disk after a power cut: everything that was flushed,
/// and nothing that only the memory held.
final class LoopDisk {
    /// Why there can be none here; `nil` when there can.
    static let obstacle: String? = {
        guard geteuid() == 0 else { return "power is cut only when the tests run as root, who may mount" }
        do {
            _ = try LoopDisk()
            return nil
        } catch { return "power is cut only where a file can be mounted as a disk (mkfs.ext4, loop devices): \(error)" }
    }()

    private let image: String
    /// Where its files are.
    let folder: String

    /// An empty disk.
    convenience init() throws {
        let image = FileManager.default.temporaryDirectory.path + "/assay-\(UUID().uuidString).img"
        guard FileManager.default.createFile(atPath: image, contents: nil), truncate(image, 64 << 20) == 0 else {
            throw POSIXError(.EIO)
        }
        do {
            try Tool.run("mkfs.ext4", "-q", "-F", "-m", "0", image)
        } catch {
            unlink(image)
            throw error
        }
        try self.init(mounting: image)
    }

    private init(mounting image: String) throws {
        (self.image, folder) = (image, image + ".d")
        mkdir(folder, 0o700)
        do {
            // The file system writes nothing by itself while a test lasts.
            try Tool.run("mount", "-o", "loop,noatime,commit=300", image, folder)
        } catch {
            rmdir(folder)
            unlink(image)
            throw error
        }
    }

    deinit {
        do { try Tool.run("umount", folder) } catch { try? Tool.run("umount", "-l", folder) }
        rmdir(folder)
        unlink(image)
    }

    /// The disk as it would be found if the power went now.
    func afterPowerCut() throws -> LoopDisk {
        let copy = FileManager.default.temporaryDirectory.path + "/assay-\(UUID().uuidString).img"
        do { try Tool.run("cp", "--sparse=always", "--reflink=never", image, copy) } catch {
            unlink(copy)
            throw error
        }
        return try LoopDisk(mounting: copy)
    }
}
