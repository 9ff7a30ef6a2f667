/// The parameters of the built-in types that are credentials. Their values may change without changing the processor's
/// definition.
enum Credentials {
    /// Returns whether the text under `keys` in the parameters of a processor of `type` is a credential.
    static func holds(_ type: String?, _ keys: [String]) -> Bool {
        switch type {
        case "command": keys.first == "environment"
        case "http": keys.count == 2 && keys[0] == "headers" && keys[1].lowercased() == "authorization"
        default: false
        }
    }
}
