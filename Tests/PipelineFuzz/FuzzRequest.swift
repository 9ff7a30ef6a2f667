/// What is to be read, and how closely.
struct FuzzRequest {
    /// How many changed files; those that are hostile as they stand come besides.
    var count = 100_000
    /// Where chance begins.
    var seed: UInt64 = 1
    /// The number of the first changed file.
    var start = 0
    /// Whether time and memory of each file are held against what it may take.
    var isMeasured = false
    /// Whether files stay small, for a program that was not built for speed.
    var isSmall = false

    /// The longest file that is made.
    var maximumBytes: Int { isSmall ? 8_192 : 1_100_000 }
}
