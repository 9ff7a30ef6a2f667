/// A strategy that lets a limited number of items in a run pass without the node's output, and then halts.
public struct SkipStrategy: ErrorStrategy, Hashable {
    /// The maximum number of skipped items in a run; `nil` means any number.
    public let maxSkips: Int?
    /// The place of the setting for messages: `pipeline.yaml:12`.
    package var setAt: String? {
        get { place.text }
        set { place.text = newValue }
    }
    private var place = SettingPlace()

    /// Creates a strategy that skips up to `maxSkips` items of a run.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for a negative number.
    public init(maxSkips: Int? = nil) throws(ProcessingError) {
        if let maxSkips, maxSkips < 0 {
            throw ProcessingError(.configuration, "max_skips must be at least 0, found \(maxSkips)")
        }
        self.maxSkips = maxSkips
    }

    init(unchecked maxSkips: Int?, setAt: String? = nil) {
        self.maxSkips = maxSkips
        place.text = setAt
    }

    public func answer(to failure: NodeFailure) -> ErrorAnswer {
        guard let maxSkips else { return .skip }
        return failure.skips < maxSkips ? .skip : .halt
    }

    public func limit(after failure: NodeFailure) -> String? {
        guard let maxSkips else { return nil }
        let limit = Limit("max_skips: \(maxSkips)", of: failure.owner, setAt: setAt)
        return maxSkips == 0 ? "\(limit) allows none" : "\(limit) was used up by \(failure.skippedList)"
    }
}

extension ErrorStrategy where Self == SkipStrategy {
    /// A strategy that skips any number of items.
    public static var skip: SkipStrategy { SkipStrategy(unchecked: nil) }
}
