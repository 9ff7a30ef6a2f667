/// The value of `--batch-size`.
enum BatchSize: Hashable, Sendable {
    /// The size that slot, complexity and policy determine.
    case automatic
    /// A fixed number of items.
    case items(Int)

    /// Parses `text`; `nil` for anything but `auto` or a whole number above 0.
    init?(_ text: String) {
        if text == "auto" {
            self = .automatic
        } else if let count = Int(text), count >= 1 {
            self = .items(count)
        } else {
            return nil
        }
    }
}
