/// What is on record of a file's content: good for as long as the file has this stamp.
public struct FileDigest: Hashable, Sendable {
    /// Where the file lies, from the root on.
    public let path: String
    /// The stamp of the file that was read.
    package let stamp: FileStamp
    /// The digest of its bytes.
    public let digest: Digest

    /// What is known of the file at `path`.
    package init(path: String, stamp: FileStamp, digest: Digest) {
        (self.path, self.stamp, self.digest) = (path, stamp, digest)
    }
}
