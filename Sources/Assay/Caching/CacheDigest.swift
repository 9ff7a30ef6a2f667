extension RegisteredProcessor {
    /// The digest of what `extract` is given of an item, under which its output is cached; all of the data counts.
    ///
    /// A file counts by its content: alone where `transform` changed nothing, so that it may have another name. A value
    /// that leads to the file of its item counts together with the file's content, whatever made the value.
    func cacheDigest(of entry: StoredItem) throws -> Digest {
        let item = entry.item
        if let content = item.file?.digest {
            let data = try item.data.json()
            // What came through `transform` as it was names the file and nothing else.
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
    /// Whether a text in it, or a key, contains `text`.
    func names(_ text: String) -> Bool {
        switch self {
        case .null, .bool, .number: false
        case .string(let value): value.contains(text)
        case .array(let elements): elements.contains { $0.names(text) }
        case .object(let object): object.members.contains { $0.key.contains(text) || $0.value.names(text) }
        }
    }
}
