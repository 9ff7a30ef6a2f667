import Synchronization

/// The alerts that watch an engine's events until they are finished.
///
/// Events are looked at in their order; actions are carried out one after another behind that, so that a slow one
/// keeps no event waiting.
public final class Alerts: Sendable {
    /// Sends an event that belongs to the run of another.
    typealias Emit = @Sendable (_ kind: Event.Kind, _ about: Event, _ data: JSONObject) -> Void

    private let desk: AlertDesk
    private let subscription: EventSubscription
    private let firings: AsyncStream<AlertFiring>.Continuation
    private let delivery: Task<Void, Never>

    /// Watches `events` by `rules`.
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

    /// How each alert stands since these began to watch, in the order of the rules.
    public var states: [AlertState] { desk.states }

    /// Makes an alert inactive, here and on record; `false` when there is none of that name.
    ///
    /// - Throws: what the store throws; here it is inactive all the same.
    @discardableResult public func clear(_ name: String) async throws -> Bool { try await desk.clear(name) }

    /// Looks at no more events, and returns when the actions of those that fired have been carried out and the store
    /// knows how the alerts stand.
    public func finish() async {
        await subscription.finish()
        firings.finish()
        await delivery.value
        await desk.save()
    }
}

/// An alert that has fired and whose action is due.
private struct AlertFiring: Sendable {
    let rule: AlertRule
    let alert: Alert
}

/// What the looking at events and the carrying out of actions share.
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
        // Before the action, whose receiver may look at once.
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

    /// Adds what has changed to what is on record. What cannot be written now is written the next time.
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
    /// What it is about, in a line of a log.
    fileprivate var detail: String {
        let places = [("run", runID?.text), ("processor", processorID?.text), ("item", inputID)]
        let place = places.compactMap { name, value in value.map { "\(name)=\($0)" } }.joined(separator: " ")
        return data.isEmpty ? place : "\(place) \(JSONValue.object(data).json)"
    }
}
