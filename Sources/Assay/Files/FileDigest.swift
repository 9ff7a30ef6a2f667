/// The recorded digest of a file's content, valid while the file has this stamp.
public struct FileDigest: Hashable, Sendable {
    /// The absolute path of the file.
    public let path: String
    /// The stamp of the file when it was read.
    package let stamp: FileStamp
    /// The digest of its bytes.
    public let digest: Digest

    /// Creates the record of the file at `path`.
    package init(path: String, stamp: FileStamp, digest: Digest) {
        (self.path, self.stamp, self.digest) = (path, stamp, digest)
    }
}
