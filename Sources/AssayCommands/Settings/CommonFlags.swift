import ArgumentParser

/// Flags of every command that writes data.
package struct OutputFlags: ParsableArguments {
    @Option(name: [.short, .long], help: "How data is written: table, json, jsonl or none.")
    var output: OutputFormat?

    @Option(help: "When colours are used: auto, always or never.")
    var color: ColorChoice?

    package init() {}

    /// The values by setting.
    var settings: [Settings.Key: String?] { [.output: output?.rawValue, .color: color?.rawValue] }
}

/// Flags of every command that uses the store.
package struct StoreFlags: ParsableArguments {
    @Option(help: "The store's database; ':memory:' keeps nothing.")
    var store: String?

    package init() {}

    /// The values by setting.
    var settings: [Settings.Key: String?] { [.store: store] }
}
