/// Which parameters of the built-in types are credentials: their values may change without the processor doing another
/// thing.
enum Credentials {
    /// Whether the text that `keys` lead to, among the parameters of a processor of `type`, is one.
    static func holds(_ type: String?, _ keys: [String]) -> Bool {
        switch type {
        case "command": keys.first == "environment"
        case "http": keys.count == 2 && keys[0] == "headers" && keys[1].lowercased() == "authorization"
        default: false
        }
    }
}
