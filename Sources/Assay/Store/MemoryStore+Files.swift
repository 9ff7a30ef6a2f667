import Synchronization

extension MemoryStore {
    public func fileDigests(of paths: [String]) async throws -> [String: FileDigest] {
        state.withLock { state in
            var found: [String: FileDigest] = [:]
            for path in paths { found[path] = state.fileDigests[path] }
            return found
        }
    }

    public func save(_ digests: [FileDigest]) async throws {
        state.withLock { state in for digest in digests { state.fileDigests[digest.path] = digest } }
    }
}
