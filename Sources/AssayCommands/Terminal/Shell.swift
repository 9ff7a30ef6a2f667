package import Assay
package import AssayPipelines
import Foundation

/// Everything a command uses of the world around it.
package struct Shell: Sendable {
    /// Where data goes.
    package var output: any ByteSink
    /// Where messages and progress go.
    package var messages: any ByteSink
    /// Where `-` reads from.
    package var input: any ByteSource
    /// The environment's variables.
    package var environment: [String: String]
    /// What relative paths start from; `nil`: the program's working folder.
    package var workingFolder: String?
    /// The processor types that can be named.
    package var registry: Registry
    /// Time, identifiers and chance.
    package var world: World
    /// Begins to receive signals.
    package var stopSignals: @Sendable () -> AsyncStream<StopSignal>

    /// A shell of the given parts.
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

    /// The one this program was started in.
    package static func system() -> Shell {
        Shell(
            output: DescriptorSink(1), messages: DescriptorSink(2), input: DescriptorSource(),
            environment: ProcessInfo.processInfo.environment, workingFolder: nil, registry: .complete, world: .system,
            stopSignals: { StopSignal.received() })
    }

    /// The folder from which relative paths are meant.
    package var folder: String {
        let path = workingFolder ?? FileManager.default.currentDirectoryPath
        return URL(fileURLWithPath: path, isDirectory: true).resolvingSymlinksInPath().standardizedFileURL.path
    }

    /// Where the file or folder is that the user calls `path`.
    package func place(of path: String) -> String {
        guard let workingFolder, !path.hasPrefix("/") else { return path }
        return workingFolder + "/" + path
    }
}

extension Registry {
    /// All processor types of this program.
    package static let complete: Registry = {
        var registry = Registry.standard
        // The names are this program's own; that two are equal is found by its tests.
        do { try StatementProcessors.register(in: &registry) } catch { fatalError("\(error)") }
        return registry
    }()
}
