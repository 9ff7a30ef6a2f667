import Synchronization

extension MemoryStore {
    public func add(_ alert: AlertRecord) async throws {
        state.withLock { state in
            // Names are compared byte by byte, as a database does.
            if let place = state.alerts.firstIndex(where: { $0.name.equalsInBytes(alert.name) }) {
                state.alerts[place] = state.alerts[place].adding(alert)
            } else {
                state.alerts.append(alert)
                state.alerts.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            }
        }
    }

    public func alerts() async throws -> [AlertRecord] { state.withLock { $0.alerts } }
}
