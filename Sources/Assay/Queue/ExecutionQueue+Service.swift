public import ServiceLifecycle

extension ExecutionQueue: Service {
    /// Works until a graceful shutdown, which lets running executions end, or until its task is cancelled, which gives
    /// them up.
    public func run() async throws {
        start()
        try await withGracefulShutdownHandler {
            try await work()
        } onGracefulShutdown: {
            self.stop()
        }
    }
}
