import Assay
import AssaySQLite
import Foundation
import Testing

@Suite("The folder of a store") struct StateFolderTests {
    private let folder = TemporaryFolder()

    private func mode(_ path: String) -> mode_t {
        var found = stat()
        return lstat(path, &found) == 0 ? found.st_mode & 0o777 : 0
    }

    private func refusal(_ path: String? = nil, _ access: SQLiteStore.Access = .owner) -> String {
        do {
            _ = try SQLiteStore.open(path ?? folder.database, access: access)
            return "none"
        } catch {
            #expect((error as? ProcessingError)?.code == .store)
            return (error as? ProcessingError)?.message ?? "\(error)"
        }
    }

    @Test("is made for its user alone, with everything in it")
    func permissions() async throws {
        let store = try SQLiteStore.open(folder.database)
        try await store.begin(Sample.run())
        #expect(mode(folder.state) == 0o700)
        for name in ["assay.db", "assay.db-wal", "assay.db-shm", "owner.lock"] {
            #expect(mode(folder.state + "/" + name) == 0o600, "\(name)")
        }
    }

    @Test("is closed to others, with everything in it, when they may read it", arguments: [0o750, 0o705])
    func tightened(mode open: Int) async throws {
        try SQLiteStore.open(folder.database).close()
        let names = ["assay.db", "assay.db-wal", "assay.db-shm", "owner.lock"]
        for name in names.dropFirst() { try Data().write(to: URL(fileURLWithPath: folder.state + "/" + name)) }
        for name in names { chmod(folder.state + "/" + name, mode_t(open)) }
        chmod(folder.state, mode_t(open))
        _ = try SQLiteStore.open(folder.database, access: .readOnly)
        #expect(mode(folder.state) == mode_t(open))
        let store = try SQLiteStore.open(folder.database)
        try await store.begin(Sample.run())
        #expect(mode(folder.state) == 0o700)
        for name in names { #expect(mode(folder.state + "/" + name) == 0o600, "\(name)") }
    }

    @Test("keeps its rights when it holds other things as well; the files are closed to others")
    func shared() throws {
        mkdir(folder.state, 0o700)
        try Data().write(to: URL(fileURLWithPath: folder.state + "/notes.txt"))
        try SQLiteStore.open(folder.database).close()
        chmod(folder.database, 0o644)
        chmod(folder.state, 0o755)
        try SQLiteStore.open(folder.database).close()
        #expect(mode(folder.state) == 0o755)
        #expect(mode(folder.database) == 0o600)
    }

    @Test("is refused when others may write in it or to the database", arguments: [0o770, 0o707])
    func openToOthers(mode: Int) throws {
        mkdir(folder.state, 0o700)
        chmod(folder.state, mode_t(mode))
        #expect(refusal() == "'\(folder.state)' can be written by others; run: chmod go-w '\(folder.state)'")
        chmod(folder.state, 0o700)
        try SQLiteStore.open(folder.database).close()
        chmod(folder.database, mode_t(mode))
        #expect(refusal() == "'\(folder.database)' can be written by others; run: chmod go-w '\(folder.database)'")
        #expect(refusal(nil, .readOnly) == refusal())
    }

    @Test("is refused when it, the database or its log is a link")
    func links() throws {
        let real = folder.path + "/real"
        mkdir(real, 0o700)
        symlink(real, folder.state)
        #expect(refusal().hasPrefix("'\(folder.state)' is a symbolic link"))
        unlink(folder.state)
        mkdir(folder.state, 0o700)
        symlink(real + "/victim", folder.database)
        #expect(refusal().hasPrefix("'\(folder.database)' is a symbolic link"))
        unlink(folder.database)
        try SQLiteStore.open(folder.database).close()
        symlink(real + "/victim", folder.database + "-wal")
        #expect(refusal().hasPrefix("'\(folder.database)-wal' is a symbolic link"))
        unlink(folder.database + "-wal")
        unlink(folder.state + "/owner.lock")
        symlink(real + "/victim", folder.state + "/owner.lock")
        #expect(refusal().hasPrefix("cannot open '\(folder.state)/owner.lock'"))
        #expect(access(real + "/victim", F_OK) != 0)
    }

    @Test("is refused when something else has its name")
    func otherTypes() {
        #expect(refusal("/").contains("does not name a database file"))
        mkdir(folder.state, 0o700)
        mkdir(folder.database, 0o700)
        #expect(refusal().contains("is not a file"))
        #expect(refusal(folder.path + "/none/deeper/assay.db").contains("No such file or directory"))
        rmdir(folder.database)
        #expect(refusal(nil, .readOnly).hasPrefix("there is no store at '\(folder.database)'"))
    }

    @Test("has one owner at a time, whose process is named to the next")
    func secondOwner() async throws {
        let first = try SQLiteStore.open(folder.database)
        let message = refusal()
        #expect(message.contains("is in use by process \(getpid()) since 20"))
        first.close()
        let second = try SQLiteStore.open(folder.database)
        try await second.begin(Sample.run())
    }

    @Test("has one owner among many that come at once")
    func race() async throws {
        let folder = folder
        try SQLiteStore.open(folder.database).close()
        for _ in 0..<20 {
            let found = await withTaskGroup(of: Result<SQLiteStore, any Error>.self) { group in
                for _ in 0..<8 { group.addTask { Result { try SQLiteStore.open(folder.database) } } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let owners = found.compactMap { try? $0.get() }
            let refusals = found.compactMap { result -> String? in
                if case .failure(let error) = result { "\(error)" } else { nil }
            }
            #expect(owners.count == 1)
            #expect(refusals.allSatisfy { $0.contains("is in use by ") }, "\(refusals)")
            for owner in owners { owner.close() }
        }
    }
}
