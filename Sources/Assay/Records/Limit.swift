/// A setting that can end something, as messages name it: its key and value, its owner and where it was set.
package struct Limit: Hashable, Sendable {
    /// The maximum number of names that are listed.
    static let listed = 10

    /// The key with its value: `max_skips: 2`.
    package var text: String
    /// The owner: `node 'ocr'`; `nil` for the run.
    package var owner: String?
    /// The place where it was set: `pipeline.yaml:12`, `--on-failure`; `nil` when a program set it.
    package var place: String?

    /// Creates a limit with its key and value.
    package init(_ text: String, of owner: String? = nil, setAt place: String? = nil) {
        (self.text, self.owner, self.place) = (text, owner, place)
    }

    /// Returns the names that are shown of `inputs`, of which there are `count`; just the count when no name is known.
    static func list(_ inputs: some Collection<String>, of count: Int) -> String {
        let shown = inputs.prefix(listed)
        guard !shown.isEmpty else { return "\(count) inputs" }
        return shown.joined(separator: ", ") + (count > shown.count ? " and \(count - shown.count) more" : "")
    }
}

extension Limit: CustomStringConvertible {
    package var description: String {
        text + (owner.map { " of \($0)" } ?? "") + (place.map { " (\($0))" } ?? "")
    }
}

/// The place where one setting was set; it does not count when settings are compared.
struct SettingPlace: Hashable, Sendable {
    var text: String?

    static func == (one: Self, other: Self) -> Bool { true }
    func hash(into hasher: inout Hasher) {}
}

/// The places where settings of a run were set, by their keys.
package struct SettingPlaces: Sendable {
    private var places: [String: String] = [:]

    /// Creates an empty set of places.
    package init() {}

    /// The place where `key` was set: `pipeline.yaml:12`, `--on-failure`; `nil` when unknown.
    package subscript(key: String) -> String? {
        get { places[key] }
        set { places[key] = newValue }
    }
}
