/// What a processor does, as far as it can be told: results are saved, carried and cached under a digest of it.
public struct Definition: Hashable, Sendable {
    /// What identifies it.
    public let digest: Digest
    /// Its parts, each by a digest, so that it can be said what has changed; none for a processor without any.
    public let parts: JSONValue

    /// The definition whose parts are these.
    init(parts: JSONObject) {
        self.parts = .object(parts)
        digest = parts.isEmpty ? Self.plain : Digest(of: .object(parts))
    }

    private static let plain = Digest(of: [:])

    /// What differs from the definition whose parts were `earlier`, in words; none if that is not known.
    public func differences(from earlier: JSONValue) -> [String] {
        Self.differences(of: parts, from: earlier)
    }

    /// What differs between the parts of two definitions, in words.
    static func differences(of now: JSONValue, from then: JSONValue) -> [String] {
        differences(of: now, from: then, owner: "its")
    }

    private static func differences(of now: JSONValue, from then: JSONValue, owner: String) -> [String] {
        var found: [String] = []
        for (key, what) in [("type", "type"), ("version", "version"), ("wiring", "wiring")] where now[key] != then[key]
        {
            let said = key == "wiring" ? "" : " (\(word(then[key])), now \(word(now[key])))"
            found.append("\(owner) \(what) has changed\(said)")
        }
        for (key, what) in [("files", "file"), ("parameters", "parameter"), ("variables", "variable")] {
            let (new, old) = (now[key]?.object ?? [:], then[key]?.object ?? [:])
            for name in Set(new.keys).union(old.keys).sorted() where new[name] != old[name] {
                let how = old[name] == nil ? "is new" : new[name] == nil ? "is gone" : "has changed"
                found.append("\(owner) \(what) '\(name)' \(how)")
            }
        }
        let (new, old) = (now["nodes"]?.object ?? [:], then["nodes"]?.object ?? [:])
        for name in Set(new.keys).union(old.keys).sorted() where new[name] != old[name] {
            found += differences(of: new[name] ?? [:], from: old[name] ?? [:], owner: "node '\(name)':")
        }
        return found
    }

    private static func word(_ value: JSONValue?) -> String { value?.string ?? "none" }
}

extension RegisteredProcessor {
    /// What identifies what it does, under `key`, which hides the values of variables in it.
    func definition(keyedBy key: [UInt8]) -> Definition {
        // As most are; a graph asks for it at every node.
        if isPlain { return Definition(parts: [:]) }
        var parts = JSONObject()
        parts["type"] = type.map { .string($0) }
        if version != "1" { parts["version"] = .string(version) }
        let given = parameters.object ?? [:]
        if nodes != nil {
            parts["wiring"] = .string(Digest(of: parameters).text)
        } else if !given.isEmpty {
            parts["parameters"] = .object(
                JSONObject(given.members.map { ($0.key, .string(Digest(of: $0.value).text)) }))
        } else if parameters.object == nil {
            parts["parameters"] = .string(Digest(of: parameters).text)
        }
        if let files {
            parts["files"] = .object(JSONObject(files.digests.map { ($0.key, .string($0.value.text)) }))
        }
        if !variables.revealed.isEmpty {
            parts["variables"] = .object(
                JSONObject(
                    variables.revealed.map { name, value in
                        (name, .string(Digest(keying: "\(name)=\(value)", with: key).text))
                    }))
        }
        let nodes = (nodes ?? []).filter { !$0.processor.isPlain }
        if !nodes.isEmpty {
            parts["nodes"] = .object(
                JSONObject(nodes.map { ($0.id.text, $0.processor.definition(keyedBy: key).parts) }))
        }
        return Definition(parts: parts)
    }

    /// What identifies what it does, in `store`.
    func definition(in store: any Store) -> Definition { definition(keyedBy: store.definitionKey) }

    /// What identifies what it does for those who share its variables, as a worker process does; never stored.
    var sharedDefinition: Digest { definition(keyedBy: []).digest }

    private var isPlain: Bool {
        version == "1" && type == nil && files == nil && variables.revealed.isEmpty && nodes == nil
            && parameters.object?.isEmpty == true
    }
}
