import Assay
import AssaySQLite
import AssayTesting
import Foundation
import Synchronization
import Testing

/// Where a queue is kept.
enum Shelf: String, CaseIterable, Sendable {
    case memory, sqlite
}

/// What is put around the store of a rig.
struct Wrapping {
    let wrap: (any Store) -> any Store
}

/// A queue over a processor that notes the order in which executions run; each has one item, its name.
final class QueueRig: Sendable {
    let store: any Store
    let engine: Engine
    let time: ManualTime
    let folder = TemporaryFolder()
    let ran = Log<String>()
    private let bench: Bench
    private let endings = Mutex<(ended: Set<String>, waiting: [String: CheckedContinuation<Void, Never>])>(([], [:]))

    /// What the processor does besides.
    final class Bench: Sendable {
        let running = Mutex((now: 0, most: 0))
        let work: @Sendable (String, Context) async throws -> Void

        init(_ work: @escaping @Sendable (String, Context) async throws -> Void) { self.work = work }

        func enter() {
            running.withLock { running in
                running.now += 1
                running.most = max(running.most, running.now)
            }
        }

        func leave() { running.withLock { $0.now -= 1 } }
    }

    init(
        _ shelf: Shelf = .memory, time: ManualTime = ManualTime(), prices: PriceList = PriceList(),
        wrapping: Wrapping = Wrapping { $0 },
        work: @escaping @Sendable (String, Context) async throws -> Void = { _, _ in }
    ) throws {
        self.time = time
        bench = Bench(work)
        let world = World.testing(time: time)
        store = wrapping.wrap(shelf == .memory ? MemoryStore() : try SQLiteStore.open(folder.database, world: world))
        engine = Engine(store: store, prices: prices, world: world)
    }

    static let name = Identifier("note")!

    /// Returns once the execution of that name has ended; one may wait for it.
    func ended(_ name: String) async {
        let subscription = engine.events.subscribe([.executionStatus]) { [weak self] event in
            guard let word = event.data["to"]?.string, Status(rawValue: word)?.isTerminal == true else { return }
            self?.note(ended: event.executionID?.text ?? "")
        }
        for event in engine.events.latest() where event.kind == .executionStatus {
            guard let word = event.data["to"]?.string, Status(rawValue: word)?.isTerminal == true else { continue }
            note(ended: event.executionID?.text ?? "")
        }
        await withCheckedContinuation { continuation in
            let isOver = endings.withLock { endings in
                guard !endings.ended.contains(name) else { return true }
                endings.waiting[name] = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
        await subscription.finish()
    }

    private func note(ended name: String) {
        endings.withLock { endings in
            endings.ended.insert(name)
            return endings.waiting.removeValue(forKey: name)
        }?.resume()
    }

    /// How many ran at once at most.
    var most: Int { bench.running.withLock { $0.most } }

    func processor(version: String = "1") throws -> RegisteredProcessor {
        let (ran, bench) = (ran, bench)
        return try RegisteredProcessor(
            ClosureProcessor<String, String>("note") { value, context in
                bench.enter()
                defer { bench.leave() }
                ran.add(value)
                try await bench.work(value, context)
                return value
            }, version: version)
    }

    func queue(
        _ configuration: QueueConfiguration? = nil, admission: any AdmissionPolicy = .always, version: String = "1"
    ) async throws -> ExecutionQueue {
        let processor = try processor(version: version)
        let configuration = try configuration ?? QueueConfiguration(capacity: 10, refreshTime: .seconds(1))
        // The folder of the store is kept as long as the queue.
        return try await ExecutionQueue(engine, configuration, admission: admission) { [self] execution in
            guard execution.processorID == Self.name else {
                throw ProcessingError(.configuration, "no processor '\(execution.processorID?.text ?? "")'")
            }
            return withExtendedLifetime(self) { (.processor(processor), RunOptions()) }
        }
    }

    static func id(_ text: String) -> Identifier { Identifier(text)! }

    /// The submission of an execution named `name`, whose only input is its name.
    static func submission(_ name: String, _ priority: Double? = nil) -> Submission {
        var submission = Submission(Self.name, over: [name])
        submission.executionID = id(name)
        submission.priority = priority
        return submission
    }
}

extension ExecutionQueue {
    @discardableResult func submit(_ name: String, _ priority: Double? = nil) async throws -> Execution {
        try await submit(QueueRig.submission(name, priority))
    }

    func names(_ status: Status) -> [String] { list(status).map(\.text) }

    /// What waits, in order, each with its priority.
    func waiting() async throws -> [String] {
        let order = try await snapshot()["queue"]?.array?.compactMap(\.string) ?? []
        var rows: [String] = []
        for name in order { rows.append("\(name) \(try await execution(QueueRig.id(name)).priority)") }
        return rows
    }
}

/// Values as they come in.
final class Log<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    func add(_ value: Value) { values.withLock { $0.append(value) } }
    var all: [Value] { values.withLock { $0 } }
}

/// Admission that answers once its gate is open.
struct GatedAdmission: AdmissionPolicy {
    let gate: Door
    var answer = Admission.admit

    func admit(_ execution: Execution.ID, request: JSONObject, scope: Scope) async throws -> Admission {
        await gate.pass()
        return answer
    }
}

/// Something that is so once.
final class Once: Sendable {
    private let isOver = Mutex(false)

    func take() -> Bool {
        isOver.withLock { isOver in
            defer { isOver = true }
            return !isOver
        }
    }
}

/// Admission that grants the first questions and denies the others.
final class CountedAdmission: AdmissionPolicy {
    let asked = Log<String>()
    private let granted: Int

    init(granting granted: Int) { self.granted = granted }

    func admit(_ execution: Execution.ID, request: JSONObject, scope: Scope) async throws -> Admission {
        asked.add(execution.text)
        return asked.all.count <= granted ? .admit : .deny("no more than \(granted)")
    }
}

/// The code of what `body` throws.
func code(of body: () async throws -> some Any) async -> ProcessingError.Code? {
    do {
        _ = try await body()
        return nil
    } catch { return (error as? ProcessingError)?.code }
}
