import Assay

extension StoreConformance {
    static let files = [
        StoreConformance("a store keeps the files of items, with data of their own and without") { store in
            let run = Sample.run("run_1")
            try await store.begin(run)
            let items = try Self.samples.enumerated().map { StoredItem($1, index: $0) }
            try await store.append(items, settled: [], to: run.id, epoch: 1)
            let found = try await store.items(of: run.id, from: 0, limit: 9).map(\.item)
            try expect(found.map(\.file), items.map(\.item.file))
            try expect(found.map(\.hasOwnData), [false, true, false, true])
            try expect(found.map { try $0.jsonValue() }, items.map { try $0.item.jsonValue() })
        },
        StoreConformance("a store keeps the files of items that were submitted") { store in
            let execution = Execution(
                id: .numbered("exec_", 1), scope: Scope(), status: .pending,
                createdAt: Timestamp(milliseconds: 1_000))
            let items = try Self.samples
            _ = try await store.submit([SubmittedExecution(execution, items: items)])
            let found = try await store.items(of: Execution.submittedList(of: execution.id), from: 0, limit: 9)
            try expect(found.map(\.file), items.map(\.file))
            try expect(found.map(\.hasOwnData), items.map(\.hasOwnData))
        },
        StoreConformance("a store keeps the last word on the content of a file") { store in
            try expect(await store.fileDigests(of: ["/a"]), [:])
            let stamp = FileStamp(device: .max, inode: 7, size: 3, modified: 5, changed: 6)
            let first = FileDigest(path: "/a", stamp: stamp, digest: Digest(of: 1))
            let other = FileDigest(path: "/b", stamp: stamp, digest: Digest(of: 2))
            try await store.save([first, other])
            try expect(await store.fileDigests(of: ["/a", "/c"]), ["/a": first])
            let second = FileDigest(path: "/a", stamp: stamp, digest: Digest(of: 3))
            try await store.save([second])
            try expect(await store.fileDigests(of: ["/b", "/a"]), ["/a": second, "/b": other])
        },
        StoreConformance("a store has a key of its own for digests of values that are not shown") { store in
            try expect(store.definitionKey.count, 32)
            try expect(store.definitionKey == MemoryStore().definitionKey, false)
        },
    ]

    private static var samples: [Item] {
        get throws {
            let read: JSONValue = [
                "path": "/data/a.txt", "size": 3, "sha256": .string(String(Digest(of: 1).text.dropFirst(7))),
                "stamp": [-1, 2, 3, 4],
            ]
            let refused: JSONValue = ["path": "/data/b.txt", "refused": ["not_found", "there is no such file"]]
            let files = [read, read, refused].compactMap { InputFile(stored: $0) }
            guard files.count == 3 else { throw Finding("a stored file cannot be read") }
            return [
                Item("a", file: files[0], accountID: "acc"), Item("b", payload: Payload(json: .null), file: files[1]),
                Item("c", file: files[2]), Item("d", 1),
            ]
        }
    }
}
