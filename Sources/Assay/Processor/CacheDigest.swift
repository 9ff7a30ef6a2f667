extension RegisteredProcessor {
    /// Returns the digest of the input that `extract` gets for an item; its output is cached under it. All of the data
    /// counts.
    ///
    /// A file counts by its content. If `transform` changed nothing, only the content counts, so that the file may have
    /// another name. A value that contains the path of its item's file counts together with the file's content, no
    /// matter where the value comes from.
    func cacheDigest(of entry: StoredItem) throws -> Digest {
        let item = entry.item
        if let content = item.file?.digest {
            let data = try item.data.json()
            // Data that `transform` left unchanged only names the file.
            let given = try entry.transformed?.json() ?? data
            guard given != data || item.hasOwnData else { return content }
            return Self.digest(of: given, with: content)
        }
        let input = try (entry.transformed ?? item.data).json()
        if let file = entry.origin, let content = file.digest, input.names(file.path) {
            return Digest(of: [.string(Digest(of: input).text), .string(content.text)])
        }
        return Digest(of: input)
    }

    private static func digest(of data: JSONValue, with content: Digest) -> Digest {
        Digest(of: ["data": .string(Digest(of: data).text), "file": .string(content.text)])
    }
}

extension JSONValue {
    /// Returns whether a string or a key in it contains `text`.
    func names(_ text: String) -> Bool {
        switch self {
        case .null, .bool, .number: false
        case .string(let value): value.contains(text)
        case .array(let elements): elements.contains { $0.names(text) }
        case .object(let object): object.members.contains { $0.key.contains(text) || $0.value.names(text) }
        }
    }
}
