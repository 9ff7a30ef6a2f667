import Synchronization

/// The messages of a program, with at most one live block below them that is redrawn repeatedly.
package final class Screen: Sendable {
    private let sink: any ByteSink
    private let state = Mutex(State())

    private struct State {
        var drawn: [Int] = []
        var asks = false
    }

    /// Creates a screen that writes to `sink`.
    package init(_ sink: any ByteSink) { self.sink = sink }

    /// The number of columns of the terminal; `nil` if there is none, and then no block can be live.
    package var columns: Int? { sink.columns }

    /// Writes a message of one or more lines above the live block, which the next ``show(_:)`` redraws.
    package func say(_ text: String) {
        state.withLock { state in
            write(erasing(state.drawn) + text + "\n")
            state.drawn = []
        }
    }

    /// Writes a question as a message. Until ``answered()`` nothing is drawn below it, where the user types the answer.
    package func ask(_ text: String) {
        state.withLock { state in
            write(erasing(state.drawn) + text + "\n")
            (state.drawn, state.asks) = ([], true)
        }
    }

    /// Records that no answer is expected any longer.
    package func answered() { state.withLock { $0.asks = false } }

    /// Replaces the live block. An empty one removes it; nothing is drawn while a question is open.
    package func show(_ lines: [String]) {
        state.withLock { state in
            guard !state.asks, !lines.isEmpty || !state.drawn.isEmpty else { return }
            write(erasing(state.drawn) + lines.map { $0 + "\n" }.joined())
            state.drawn = lines.map(\.plain.columns)
        }
    }

    /// Returns the codes that move to the beginning of the block and clear from there.
    ///
    /// A terminal that has become narrower has wrapped lines into several rows.
    private func erasing(_ drawn: [Int]) -> String {
        guard !drawn.isEmpty else { return "" }
        let width = max(1, sink.columns ?? 80)
        let rows = drawn.reduce(0) { $0 + max(1, ($1 + width - 1) / width) }
        return "\r\u{1B}[\(rows)A\u{1B}[J"
    }

    // Messages that no one can read any longer are no reason to fail.
    private func write(_ text: String) { try? sink.write(Array(text.utf8)) }
}

extension String {
    /// The text without the colors of ``Paint``.
    var plain: String { contains("\u{1B}") ? replacing(/\u{1B}\[[0-9]*m/, with: "") : self }
}
