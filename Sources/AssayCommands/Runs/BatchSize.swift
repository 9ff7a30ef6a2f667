/// What `--batch-size` asks for.
enum BatchSize: Hashable, Sendable {
    /// What slot, complexity and policy give.
    case automatic
    /// So many items.
    case items(Int)

    /// What `text` writes; `nil` for anything but `auto` or a whole number above 0.
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
