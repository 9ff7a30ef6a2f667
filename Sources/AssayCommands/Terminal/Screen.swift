import Synchronization

/// The messages of a program, below which one live block may stand that is drawn again and again.
package final class Screen: Sendable {
    private let sink: any ByteSink
    private let state = Mutex(State())

    private struct State {
        var drawn: [Int] = []
        var asks = false
    }

    /// Messages that go to `sink`.
    package init(_ sink: any ByteSink) { self.sink = sink }

    /// How many columns the terminal has; `nil` when there is none, and then nothing can be live.
    package var columns: Int? { sink.columns }

    /// Writes a message of one or more lines above the live block, which is drawn again by the next ``show(_:)``.
    package func say(_ text: String) {
        state.withLock { state in
            write(erasing(state.drawn) + text + "\n")
            state.drawn = []
        }
    }

    /// Writes a question as a message; until ``answered()`` nothing is drawn below it, where the answer is typed.
    package func ask(_ text: String) {
        state.withLock { state in
            write(erasing(state.drawn) + text + "\n")
            (state.drawn, state.asks) = ([], true)
        }
    }

    /// Says that no answer is waited for any more.
    package func answered() { state.withLock { $0.asks = false } }

    /// Replaces the live block; none when there are no lines, or while a question stands.
    package func show(_ lines: [String]) {
        state.withLock { state in
            guard !state.asks, !lines.isEmpty || !state.drawn.isEmpty else { return }
            write(erasing(state.drawn) + lines.map { $0 + "\n" }.joined())
            state.drawn = lines.map(\.plain.columns)
        }
    }

    /// Moves to where the block begins and clears from there.
    ///
    /// A terminal that became narrower since has broken lines into several rows.
    private func erasing(_ drawn: [Int]) -> String {
        guard !drawn.isEmpty else { return "" }
        let width = max(1, sink.columns ?? 80)
        let rows = drawn.reduce(0) { $0 + max(1, ($1 + width - 1) / width) }
        return "\r\u{1B}[\(rows)A\u{1B}[J"
    }

    // Messages that nobody can read any more are no reason to fail.
    private func write(_ text: String) { try? sink.write(Array(text.utf8)) }
}

extension String {
    /// The text without the colours that ``Paint`` puts in.
    var plain: String { contains("\u{1B}") ? replacing(/\u{1B}\[[0-9]*m/, with: "") : self }
}
