/// Lets items pass without the node's output, up to a number of them in a run; then halts.
public struct SkipStrategy: ErrorStrategy, Hashable {
    /// How many items of a run may be skipped; `nil`: any number.
    public let maxSkips: Int?
    /// Where that was set, for messages: `pipeline.yaml:12`.
    package var setAt: String? {
        get { place.text }
        set { place.text = newValue }
    }
    private var place = SettingPlace()

    /// A strategy that skips up to `maxSkips` items of a run.
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
    /// Lets any number of items pass.
    public static var skip: SkipStrategy { SkipStrategy(unchecked: nil) }
}
