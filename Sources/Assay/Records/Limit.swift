/// A setting that can end something, as messages name it: key, value, whose it is and where it was set.
package struct Limit: Hashable, Sendable {
    /// How many names are listed.
    static let listed = 10

    /// The key with its value: `max_skips: 2`.
    package var text: String
    /// Whose it is: `node 'ocr'`; `nil`: the run's.
    package var owner: String?
    /// Where it was set: `pipeline.yaml:12`, `--on-failure`; `nil` when a program set it.
    package var place: String?

    /// A limit with its key and value.
    package init(_ text: String, of owner: String? = nil, setAt place: String? = nil) {
        (self.text, self.owner, self.place) = (text, owner, place)
    }

    /// The names of `inputs`, of which there are `count`, as many as are shown; how many when none is known.
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

/// Where one setting was set; of no account where what was set is compared.
struct SettingPlace: Hashable, Sendable {
    var text: String?

    static func == (one: Self, other: Self) -> Bool { true }
    func hash(into hasher: inout Hasher) {}
}

/// Where settings of a run were set, by their keys.
package struct SettingPlaces: Sendable {
    private var places: [String: String] = [:]

    /// None.
    package init() {}

    /// Where `key` was set: `pipeline.yaml:12`, `--on-failure`; `nil` when nobody knows.
    package subscript(key: String) -> String? {
        get { places[key] }
        set { places[key] = newValue }
    }
}
