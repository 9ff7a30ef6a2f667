import Synchronization

/// The alerts that watch an engine's events until ``finish()`` is called.
///
/// Events are evaluated in order. Actions run separately, one after another, so a slow action delays no event.
public final class Alerts: Sendable {
    /// A function that sends an event for the run of another event.
    typealias Emit = @Sendable (_ kind: Event.Kind, _ about: Event, _ data: JSONObject) -> Void

    private let desk: AlertDesk
    private let subscription: EventSubscription
    private let firings: AsyncStream<AlertFiring>.Continuation
    private let delivery: Task<Void, Never>

    /// Starts to watch `events` with `rules`.
    ///
    /// - Throws: ``ProcessingError`` with code `exists` when two rules have the same name.
    init(
        _ rules: [AlertRule], on events: EventStream, store: any Store, world: World,
        log: @escaping @Sendable (String) -> Void, emit: @escaping Emit
    ) throws(ProcessingError) {
        let desk = AlertDesk(try AlertBoard(rules), store, world.time, log)
        let (stream, firings) = AsyncStream.makeStream(of: AlertFiring.self, bufferingPolicy: .bufferingNewest(1_000))
        self.desk = desk
        self.firings = firings
        delivery = Task { for await firing in stream { await desk.carryOut(firing) } }
        let recorded = Set(Event.Kind.allCases.filter(events.records))
        let kinds = rules.reduce(into: Set<Event.Kind>()) { $0.formUnion($1.kinds ?? recorded) }.subtracting([.alert])
        subscription = events.subscribe(kinds) { event in
            let now = world.time.now()
            let (fire, broken) = desk.take(
                event, isRecorded: recorded.contains(event.kind), at: world.time.uptime(), now)
            for (rule, error) in broken {
                emit(
                    .warning, event, ["message": .string("the condition of alert \(rule.name.quoted) failed: \(error)")]
                )
            }
            for rule in fire {
                let alert = Alert(name: rule.name, event: event, firedAt: now)
                emit(
                    .alert, event,
                    [
                        "alert": .string(rule.name), "event_type": .string(event.kind.rawValue),
                        "event_id": .string(event.eventID),
                    ])
                if case .dropped(let lost) = firings.yield(AlertFiring(rule: rule, alert: alert)) { desk.drop(lost) }
            }
        }
    }

    /// The state of each alert since these began to watch, in the order of the rules.
    public var states: [AlertState] { desk.states }

    /// Makes an alert inactive, here and in the store. Returns `false` when there is no alert of that name.
    ///
    /// - Throws: what the store throws. The alert is inactive here even then.
    @discardableResult public func clear(_ name: String) async throws -> Bool { try await desk.clear(name) }

    /// Stops looking at events. Returns when the actions of all fired alerts have run and the store has the states of
    /// the alerts.
    public func finish() async {
        await subscription.finish()
        firings.finish()
        await delivery.value
        await desk.save()
    }
}

/// A fired alert whose action has not run yet.
private struct AlertFiring: Sendable {
    let rule: AlertRule
    let alert: Alert
}

/// The state shared by the evaluation of events and the delivery of actions.
private final class AlertDesk: Sendable {
    private let board: Mutex<AlertBoard>
    private let store: any Store
    private let time: any TimeSource
    private let log: @Sendable (String) -> Void

    init(
        _ board: AlertBoard, _ store: any Store, _ time: any TimeSource, _ log: @escaping @Sendable (String) -> Void
    ) {
        self.board = Mutex(board)
        (self.store, self.time, self.log) = (store, time, log)
    }

    var states: [AlertState] { board.withLock { $0.states } }

    func clear(_ name: String) async throws -> Bool {
        guard board.withLock({ [time] in $0.clear(name, at: time.now()) }) else { return false }
        try await saveChanges()
        return true
    }

    func take(
        _ event: Event, isRecorded: Bool, at uptime: Duration, _ now: Timestamp
    ) -> (fire: [AlertRule], broken: [(rule: AlertRule, error: any Error)]) {
        board.withLock { $0.take(event, isRecorded: isRecorded, at: uptime, now) }
    }

    func carryOut(_ firing: AlertFiring) async {
        // Saved before the action, because the action may look at the record at once.
        await save()
        switch firing.rule.action {
        case .log:
            log(
                "alert \(firing.alert.name.quoted): \(firing.alert.event.kind.rawValue) \(firing.alert.event.detail)")
        case .perform(let action):
            do { try await action(firing.alert) } catch { fail(firing, "\(error)") }
        }
    }

    func drop(_ firing: AlertFiring) { fail(firing, "too many actions are waiting") }

    /// Adds the changes to the record in the store. Changes that cannot be written now are written the next time.
    func save() async {
        do { try await saveChanges() } catch {
            log("how the alerts stand cannot be written down: \(error)")
        }
    }

    private func saveChanges() async throws {
        let changes = board.withLock { $0.takeChanges() }
        for (place, change) in changes.enumerated() {
            do { try await store.add(change) } catch {
                board.withLock { $0.putBack(changes[place...]) }
                throw error
            }
        }
    }

    private func fail(_ firing: AlertFiring, _ reason: String) {
        board.withLock { $0.noteError(of: firing.rule.name) }
        log("the action of alert \(firing.rule.name.quoted) failed: \(reason)")
    }
}

extension Event {
    /// A description of its subject for a log line.
    fileprivate var detail: String {
        let places = [("run", runID?.text), ("processor", processorID?.text), ("item", inputID)]
        let place = places.compactMap { name, value in value.map { "\(name)=\($0)" } }.joined(separator: " ")
        return data.isEmpty ? place : "\(place) \(JSONValue.object(data).json)"
    }
}
