import AssayTesting
import Synchronization
import Testing

@testable import Assay

@Suite("A wait", .timeLimit(.minutes(1))) struct WaitTests {
    /// Ways to wait until nothing stops the wait, and what ends them.
    private static func waits() -> [(name: String, wait: @Sendable () async -> Void, end: @Sendable () -> Void)] {
        let (latch, gate, turnstile, signal) = (Latch(), Gate(), Turnstile(places: 1), Signal())
        let flag = Flag()
        gate.begin()
        _ = turnstile.enterIfFree()
        return [
            ("latch", { await latch.passUncancelled() }, { latch.open() }),
            ("gate", { await gate.passUncancelled() }, { gate.end() }),
            ("turnstile", { await turnstile.enterUncancelled() }, { turnstile.leave() }),
            (
                "signal", { await signal.waitUncancelled { flag.isSet } },
                {
                    flag.set()
                    signal.raise()
                }
            ),
        ]
    }

    private final class Tally: Sendable {
        let count = Mutex(0)
    }

    private final class Flag: Sendable {
        private let state = Mutex(false)
        var isSet: Bool { state.withLock { $0 } }
        func set() { state.withLock { $0 = true } }
    }

    @Test(
        "ends with what it waits for, whether that comes before or after, and not with a cancellation that it ignores")
    func uncancelled() async {
        for isEarly in [true, false] {
            for (_, wait, end) in Self.waits() {
                let (begun, hasEnded) = (Door(), Flag())
                if isEarly { end() }
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    begun.open()
                    await wait()
                    #expect(isEarly || hasEnded.isSet)
                }
                await begun.pass()
                hasEnded.set()
                if !isEarly { end() }
                await task.value
            }
        }
    }

    @Test("ends when its task is cancelled, before it begins or while it lasts", arguments: [true, false])
    func cancelled(isEarly: Bool) async {
        let (latch, turnstile, signal) = (Latch(), Turnstile(places: 0), Signal())
        let waits: [@Sendable () async -> Void] = [
            { await latch.pass() }, { #expect(await !turnstile.enter()) }, { await signal.wait { false } },
        ]
        for wait in waits {
            let begun = Door()
            let task = Task {
                if isEarly { withUnsafeCurrentTask { $0?.cancel() } }
                begun.open()
                await wait()
            }
            await begun.pass()
            task.cancel()
            await task.value
        }
        #expect(!latch.isOpen)
    }

    @Test("at a turnstile is served in order of arrival, and gives up its turn when it is cancelled")
    func order() async {
        let (turnstile, served) = (Turnstile(), Notes<Int>())
        #expect(turnstile.enterIfFree())
        var tasks: [Task<Void, Never>] = []
        for number in 0..<6 {
            let task = Task {
                guard await turnstile.enter() else { return }
                served.add(number)
                turnstile.leave()
            }
            tasks.append(task)
            while turnstile.waiting <= number { await Task.yield() }
        }
        tasks[2].cancel()
        await tasks[2].value
        turnstile.leave()
        for task in tasks { await task.value }
        #expect(served.all == [0, 1, 3, 4, 5])
        #expect(turnstile.enterIfFree())
        #expect(!turnstile.enterIfFree())
    }

    @Test("at a gate lasts until the last of what is at work has ended") func gate() async {
        let (gate, notes) = (Gate(closedFor: 2), Notes<String>())
        let task = Task {
            await gate.passUncancelled()
            notes.add("passed")
        }
        gate.begin()
        for number in 1...3 {
            notes.add("ended \(number)")
            gate.end()
        }
        await task.value
        await gate.passUncancelled()
        #expect(notes.all == ["ended 1", "ended 2", "ended 3", "passed"])
    }

    @Test("for a signal misses no change of many, whoever makes it") func changes() async {
        let signal = Signal()
        let tally = Tally()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask { await signal.wait { tally.count.withLock { $0 == 1_000 } } }
                group.addTask {
                    for _ in 0..<20 {
                        tally.count.withLock { $0 += 1 }
                        signal.raise()
                    }
                }
            }
        }
        #expect(tally.count.withLock { $0 } == 1_000)
    }
}
