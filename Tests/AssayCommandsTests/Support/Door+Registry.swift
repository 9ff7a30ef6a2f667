import Assay
import AssayPipelines
import AssayTesting
import Logging

extension Door {
    /// Types with `waits`, whose items wait at this door.
    var registry: Registry {
        get throws {
            var registry = Registry.standard
            try registry.register("waits", parameters: []) { name, _ in
                try RegisteredProcessor(
                    ClosureProcessor(name) { [self] (input: String, context: Context) -> String in
                        context.logger.info("about \(input)")
                        await pass()
                        return input
                    })
            }
            return registry
        }
    }
}
