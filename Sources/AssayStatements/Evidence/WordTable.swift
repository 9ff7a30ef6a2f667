/// Words of ASCII letters and digits that are looked up without making a string of each.
struct WordTable<Value: Sendable>: Sendable {
    private var words: [[UInt8]]
    private var values: [Value?]
    /// The hash of the word at each place, 0 where there is none: looked at first, for most words are none of them.
    private var hashes: [UInt32]
    private let mask: Int

    /// - Parameter words: each in lower case, with its value; the first of equal words counts.
    init(_ words: [(word: String, value: Value)]) {
        var size = 64
        while size < words.count * 4 { size *= 2 }
        mask = size - 1
        self.words = Array(repeating: [], count: size)
        values = Array(repeating: nil, count: size)
        hashes = Array(repeating: 0, count: size)
        for (word, value) in words {
            let bytes = Array(word.utf8)
            let hash = bytes.withUnsafeBufferPointer { WordTable.hash(Bytes($0)) }
            var place = Int(hash) & mask
            while hashes[place] != 0, self.words[place] != bytes { place = (place + 1) & mask }
            if hashes[place] == 0 { (self.words[place], values[place], hashes[place]) = (bytes, value, hash) }
        }
    }

    /// Returns the value of a word in upper or lower case.
    func value(of word: Bytes) -> Value? {
        let hash = WordTable.hash(word)
        var place = Int(hash) & mask
        while hashes[place] != 0 {
            if hashes[place] == hash, WordTable.isSame(word, words[place]) { return values[place] }
            place = (place + 1) & mask
        }
        return nil
    }

    private static func hash(_ word: Bytes) -> UInt32 {
        word.withBuffer { buffer in
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in buffer { hash = (hash ^ UInt64(byte.uppercased)) &* 0x100_0000_01B3 }
            return max(UInt32(truncatingIfNeeded: hash ^ hash >> 32), 1)
        }
    }

    private static func isSame(_ word: Bytes, _ other: [UInt8]) -> Bool {
        guard word.count == other.count else { return false }
        for index in other.indices where word[index].uppercased != other[index].uppercased { return false }
        return true
    }
}

extension Bytes {
    /// Returns the word that begins at or after `index`, which moves past it: letters, digits and characters beyond
    /// ASCII.
    func word(at index: inout Int) -> Bytes? {
        while index < count, !self[index].isWordPart { index += 1 }
        let start = index
        while index < count, self[index].isWordPart { index += 1 }
        return index > start ? part(start, index) : nil
    }

    var isASCII: Bool { withBuffer { $0.allSatisfy { $0 < 0x80 } } }
}

extension UInt8 {
    fileprivate var isWordPart: Bool { isLetter || isDigit || self >= 0x80 }
}
