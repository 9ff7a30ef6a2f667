package import Assay
package import AssayPipelines
import Foundation

/// The environment of a command: everything it uses of the outside world.
package struct Shell: Sendable {
    /// The destination of data.
    package var output: any ByteSink
    /// The destination of messages and progress.
    package var messages: any ByteSink
    /// The source for `-`.
    package var input: any ByteSource
    /// The environment variables.
    package var environment: [String: String]
    /// The folder to which relative paths refer; `nil`: the program's working folder.
    package var workingFolder: String?
    /// The available processor types.
    package var registry: Registry
    /// Time, identifiers and chance.
    package var world: World
    /// The function that begins to receive signals.
    package var stopSignals: @Sendable () -> AsyncStream<StopSignal>

    /// Creates a shell from its parts.
    package init(
        output: any ByteSink, messages: any ByteSink, input: any ByteSource, environment: [String: String],
        workingFolder: String?, registry: Registry, world: World,
        stopSignals: @escaping @Sendable () -> AsyncStream<StopSignal>
    ) {
        self.output = output
        self.messages = messages
        self.input = input
        self.environment = environment
        self.workingFolder = workingFolder
        self.registry = registry
        self.world = world
        self.stopSignals = stopSignals
    }

    /// Returns the shell in which this program was started.
    package static func system() -> Shell {
        Shell(
            output: DescriptorSink(1), messages: DescriptorSink(2), input: DescriptorSource(),
            environment: ProcessInfo.processInfo.environment, workingFolder: nil, registry: .complete, world: .system,
            stopSignals: { StopSignal.received() })
    }

    /// The folder to which relative paths refer.
    package var folder: String {
        let path = workingFolder ?? FileManager.default.currentDirectoryPath
        return URL(fileURLWithPath: path, isDirectory: true).resolvingSymlinksInPath().standardizedFileURL.path
    }

    /// Returns the path of the file or folder that the user calls `path`.
    package func place(of path: String) -> String {
        guard let workingFolder, !path.hasPrefix("/") else { return path }
        return workingFolder + "/" + path
    }
}

extension Registry {
    /// All processor types of this program.
    package static let complete: Registry = {
        var registry = Registry.standard
        // The names are this program's own, and its tests find duplicates.
        do { try StatementProcessors.register(in: &registry) } catch { fatalError("\(error)") }
        return registry
    }()
}
