public import ServiceLifecycle

extension ExecutionQueue: Service {
    /// Works until a graceful shutdown, which lets what runs end, or until its task is cancelled, which gives it up.
    public func run() async throws {
        start()
        try await withGracefulShutdownHandler {
            try await work()
        } onGracefulShutdown: {
            self.stop()
        }
    }
}
