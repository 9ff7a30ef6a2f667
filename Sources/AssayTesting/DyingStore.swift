public import Assay
import Synchronization

/// A store whose program dies at a write: before the write reaches the disk, or before the program learns that it did.
public final class DyingStore: Sendable {
    /// The error at the moment of death and at every later write.
    public struct Death: Error {}

    /// The store that outlives the program.
    public let survivor: any Store
    private let state: Mutex<(left: Int, dead: Bool)>
    private let hears: Bool

    /// Creates a store over `survivor`.
    ///
    /// - Parameters:
    ///   - writes: the number of writes that succeed.
    ///   - hears: whether the program learns that the last of them succeeded.
    public init(_ survivor: any Store = MemoryStore(), after writes: Int, hears: Bool) {
        self.survivor = survivor
        state = Mutex((writes, false))
        self.hears = hears
    }

    /// Whether the program has died.
    public var isDead: Bool { state.withLock { $0.dead } }

    /// The store as the program sees it.
    public var store: FaultyStore {
        FaultyStore(
            survivor,
            aftermath: { [self] _ in
                guard state.withLock({ $0.left == 0 && !hears }) else { return }
                state.withLock { $0.dead = true }
                throw Death()
            },
            { [self] _ in
                try state.withLock { state in
                    guard !state.dead, state.left > 0 else {
                        state.dead = true
                        throw Death()
                    }
                    state.left -= 1
                }
            })
    }

    /// Recovers what a dead owner left, as the next owner of a store does.
    public func recover() async throws { try await survivor.recover() }
}
