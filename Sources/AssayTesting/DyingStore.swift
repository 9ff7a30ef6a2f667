public import Assay
import Synchronization

/// A store whose program dies at a write: before it reaches the disk, or before the program hears that it did.
public final class DyingStore: Sendable {
    /// What is thrown at the moment of death and at every write after it.
    public struct Death: Error {}

    /// What outlives the program.
    public let survivor: any Store
    private let state: Mutex<(left: Int, dead: Bool)>
    private let hears: Bool

    /// A store over `survivor`.
    ///
    /// - Parameters:
    ///   - writes: how many writes succeed.
    ///   - hears: whether the program hears of the last of them.
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

    /// Does what the next owner of a store does with what a dead one left.
    public func recover() async throws {
        for var run in try await survivor.runs(matching: RunFilter(statuses: [.running])) {
            run.epoch += 1
            run.status = .failed
            try await survivor.update(run)
        }
        for var call in try await survivor.calls(matching: CallFilter(states: [.open])) {
            call.state = .inDoubt
            try await survivor.file(call, charge: nil, cached: nil)
        }
    }
}
