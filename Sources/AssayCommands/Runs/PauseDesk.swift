import Assay
import Foundation
import Synchronization

/// The handling of a run's pauses at breakpoints: the user at a terminal decides, or the run is left paused.
final class PauseDesk: Sendable {
    /// An event for the handling of pauses.
    private enum Happening: Sendable {
        case paused(RunHandle, NodeStart)
        /// A line that the user typed.
        case line(String)
        /// The end of the user's input.
        case end
    }

    private let (happenings, tells) = AsyncStream.makeStream(of: Happening.self)
    private let isOpen = Atomic(false)

    /// Enables the handling by ``attend(_:in:)``. Pauses before that are ignored here, and no run is kept for them.
    func open() { isOpen.store(true, ordering: .releasing) }

    /// Records a pause; ``attend(_:in:)`` handles it.
    func paused(_ run: RunHandle, before start: NodeStart) {
        if isOpen.load(ordering: .acquiring) { tells.yield(.paused(run, start)) }
    }

    /// Handles pauses until the task is cancelled.
    func attend(_ console: Console, in shell: Shell) async {
        let isTerminal = shell.input.isTerminal && console.screen.columns != nil
        var reads = false
        var ends = false
        var handle: RunHandle?
        for await happening in happenings {
            switch happening {
            case .paused(let run, let start):
                handle = run
                guard isTerminal, !ends else {
                    leave(run, console)
                    continue
                }
                ask(
                    [
                        "paused before node '\(start.processorID)' on input '\(start.inputID.safe)'",
                        "  " + String(start.value.json.safe.prefix(500)),
                    ], console)
                if !reads { read(shell.input) }
                reads = true
            case .line(let text): if let handle { answer(text, handle, console) }
            case .end:
                ends = true
                if let handle { leave(handle, console) }
            }
        }
    }

    private static let words = ["continue", "step", "show", "cancel"]

    private func ask(_ lines: [String], _ console: Console) {
        console.screen.ask((lines + ["continue, step, show or cancel?"]).joined(separator: "\n"))
    }

    private func answer(_ text: String, _ run: RunHandle, _ console: Console) {
        let word = text.trimmingCharacters(in: .whitespaces).lowercased()
        do {
            switch Self.words.first(where: { !word.isEmpty && $0.hasPrefix(word) }) {
            case "continue":
                console.screen.answered()
                try run.goOn()
            case "step":
                console.screen.answered()
                try run.step()
            case "cancel":
                console.screen.answered()
                run.cancel()
            case "show": ask(PauseText(run.pausedBefore, run.breakpoints).lines, console)
            default: ask(word.isEmpty ? [] : ["there is no word '\(word.safe)' here"], console)
            }
        } catch {
            // Another terminal was faster.
            console.note(CommandFailure(error).message)
        }
    }

    /// Leaves a run paused because no user here decides about it.
    private func leave(_ run: RunHandle, _ console: Console) {
        console.screen.answered()
        // A run that was continued in the meantime is handled at its next pause.
        try? run.leave()
    }

    /// Reads lines on a separate thread, because typed input cannot be awaited.
    private func read(_ input: any ByteSource) {
        let tells = tells
        let thread = Thread {
            var buffer = LineBuffer()
            // A line that is too long, or an unreadable input, ends the input.
            while let bytes = try? input.read(4_096), !bytes.isEmpty {
                buffer.add(bytes)
                do {
                    while let line = try buffer.next() { tells.yield(.line(String(decoding: line, as: UTF8.self))) }
                } catch { break }
            }
            tells.yield(.end)
        }
        thread.name = "assay.breakpoints"
        thread.start()
    }
}

/// The point at which a run is paused, with its breakpoints, for people.
struct PauseText {
    let lines: [String]

    init(_ start: NodeStart?, _ breakpoints: [Breakpoint]) {
        var lines: [String] = []
        if let start {
            lines = [
                "paused before node '\(start.processorID)' on input '\(start.inputID.safe)', given:",
                "  " + start.value.json.safe,
            ]
        }
        for breakpoint in breakpoints {
            var text = "breakpoint at '\(breakpoint.processorID)'"
            if let condition = breakpoint.condition { text += " if \(condition.text.safe)" }
            if let count = breakpoint.hitCount { text += ", the first \(count.grouped) times" }
            text += ": \(breakpoint.totalHits.grouped) \(breakpoint.totalHits == 1 ? "match" : "matches")"
            lines.append(text + (breakpoint.isEnabled ? "" : ", disabled"))
        }
        self.lines = lines
    }
}
