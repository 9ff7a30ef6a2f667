import Assay
import GRDB

/// The tables of the store, created by append-only migrations.
///
/// Items, outcomes and events are stored under one number, their `place`: the run's key times 2³² plus the place in the
/// run. Their order on disk is therefore the order in which they are written and read, and the key costs almost
/// nothing. The columns `run` and `idx` are derived from it for people with a SQL prompt. Amounts are billionths, times
/// are milliseconds since 1970, durations are nanoseconds. `seal` is the ``RowSeal`` of the columns before it. Saved
/// steps and cached values have no second index that a damaged row could contradict, so each of them can be replaced or
/// deleted in any state.
struct Schema {
    /// A step from an older database to a newer one.
    struct Migration {
        var name: String
        var sql: String
        /// The changes that SQL cannot express, made after `sql`.
        var adopt: @Sendable (Connection) throws -> Void = { _ in }
    }

    var migrations: [Migration]

    /// The schema that this version of the program writes.
    static let current = Schema(migrations: [
        Migration(name: "1", sql: version1),
        Migration(name: "2", sql: version2),
        Migration(name: "3", sql: version3),
        Migration(name: "4", sql: version4),
        Migration(name: "5", sql: version5),
        Migration(name: "6", sql: version6),
        Migration(name: "7", sql: version7),
        Migration(name: "8", sql: version8, adopt: ChargeRow.adoptVersion7),
        Migration(name: "9", sql: version9),
        Migration(name: "10", sql: logs),
        Migration(name: "11", sql: admissions),
        Migration(name: "12", sql: files),
        Migration(name: "13", sql: worths),
        Migration(name: "14", sql: keyedWorths),
        Migration(name: "15", sql: closings, adopt: CallRow.adoptEarlier),
    ])

    /// The mark of a file as a store of this engine: "asay".
    static let applicationID: Int32 = 0x6173_6179

    var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for migration in migrations {
            migrator.registerMigration(migration.name) { database in
                try database.execute(sql: migration.sql)
                try migration.adopt(Connection(database))
            }
        }
        return migrator
    }

    /// The name of the newest migration.
    var version: String { migrations.last?.name ?? "0" }

    /// What it takes to close a call, which any program can that knows its name, and the attempt that opened it.
    private static let closings = """
        ALTER TABLE calls ADD COLUMN unit_price INTEGER;
        ALTER TABLE calls ADD COLUMN billing TEXT NOT NULL DEFAULT 'on_success';
        ALTER TABLE calls ADD COLUMN time_to_live INTEGER;
        ALTER TABLE calls ADD COLUMN is_repeat INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE calls ADD COLUMN attempt TEXT;
        """

    /// Cached outputs know what charges with keys came to, which are made once in an execution.
    private static let keyedWorths = "ALTER TABLE cache ADD COLUMN keyed TEXT NOT NULL DEFAULT '{}'"

    /// The times of admissions under rates. Rates apply across programs.
    private static let admissions = """
        CREATE TABLE admissions (
            number INTEGER PRIMARY KEY,
            rate TEXT NOT NULL,
            moment INTEGER NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX admissions_by_rate ON admissions (rate);
        """

    /// The worth of saved steps.
    private static let worths = "ALTER TABLE checkpoints ADD COLUMN worth INTEGER"

    /// Files of items and the digests of their contents; `file` is part of the seal where it is not null. The key is
    /// for digests of values that must stay secret.
    private static let files = """
        ALTER TABLE items ADD COLUMN file TEXT;
        ALTER TABLE queue_items ADD COLUMN file TEXT;
        CREATE TABLE file_digests (
            path TEXT NOT NULL PRIMARY KEY,
            device INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            size INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            digest TEXT NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO meta (name, value) VALUES ('definition_key', lower(hex(randomblob(32))));
        """

    /// The cache keys of calls, which make doubts visible to all runs, and the resolutions of doubts.
    private static let version9 = """
        ALTER TABLE calls ADD COLUMN cache_key TEXT;
        ALTER TABLE calls ADD COLUMN resolution TEXT;
        CREATE INDEX calls_in_doubt ON calls (cache_key) WHERE state = 'in_doubt';
        CREATE TABLE doubts_met (
            call_id TEXT NOT NULL,
            run_id TEXT NOT NULL,
            execution_id TEXT NOT NULL,
            PRIMARY KEY (call_id, run_id)
        ) STRICT, WITHOUT ROWID;
        """

    /// The basis of charges: what the engine knows of a charge, separate from the processor's metadata.
    private static let version8 = "ALTER TABLE charges ADD COLUMN basis TEXT NOT NULL DEFAULT '{}'"

    /// The states of alerts that watch events.
    private static let version7 = """
        CREATE TABLE alerts (
            name TEXT NOT NULL PRIMARY KEY,
            fired INTEGER NOT NULL,
            suppressed INTEGER NOT NULL,
            errors INTEGER NOT NULL,
            fired_at INTEGER,
            kind TEXT,
            run_id TEXT,
            input_id TEXT,
            cleared_at INTEGER,
            seal INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    /// The graphs of events.
    private static let version6 = "ALTER TABLE events ADD COLUMN graph_id TEXT"

    private static let version1 = """
        PRAGMA application_id = \(applicationID);

        CREATE TABLE meta (
            name TEXT NOT NULL PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE executions (
            key INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            account_id TEXT,
            underwriting_id TEXT,
            execution_id TEXT,
            status TEXT NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE runs (
            key INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            execution_id TEXT NOT NULL REFERENCES executions (id),
            processor_id TEXT NOT NULL,
            status TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            started_at INTEGER NOT NULL,
            finished_at INTEGER,
            record TEXT NOT NULL,
            summary TEXT,
            seal INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX runs_by_execution ON runs (execution_id);
        CREATE INDEX runs_by_status ON runs (status);

        CREATE TABLE items (
            place INTEGER PRIMARY KEY,
            run INTEGER AS (place >> 32) VIRTUAL,
            idx INTEGER AS (place & 4294967295) VIRTUAL,
            input_id TEXT NOT NULL,
            account_id TEXT,
            underwriting_id TEXT,
            execution_id TEXT,
            data TEXT NOT NULL,
            payload TEXT,
            flags INTEGER NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE transformed (
            place INTEGER PRIMARY KEY,
            value TEXT NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE outcomes (
            place INTEGER PRIMARY KEY,
            run INTEGER AS (place >> 32) VIRTUAL,
            idx INTEGER AS (place & 4294967295) VIRTUAL,
            input_id TEXT NOT NULL,
            status TEXT NOT NULL,
            reason TEXT,
            flags INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            duration INTEGER NOT NULL,
            cost INTEGER NOT NULL,
            avoided_cost INTEGER NOT NULL,
            output TEXT,
            error TEXT,
            steps TEXT,
            seal INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE checkpoints (
            execution_id TEXT NOT NULL,
            processor_id TEXT NOT NULL,
            input_id TEXT NOT NULL,
            step TEXT NOT NULL,
            input_digest TEXT NOT NULL,
            definition TEXT NOT NULL,
            run_id TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            saved_at INTEGER NOT NULL,
            value TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            serial INTEGER NOT NULL,
            PRIMARY KEY (execution_id, processor_id, input_id, step)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE charges (
            seq INTEGER PRIMARY KEY,
            cost_id TEXT NOT NULL,
            key TEXT,
            kind TEXT NOT NULL,
            run_id TEXT NOT NULL,
            execution_id TEXT NOT NULL,
            processor_id TEXT NOT NULL,
            input_id TEXT,
            item_index INTEGER,
            step TEXT,
            service TEXT NOT NULL,
            operation TEXT NOT NULL,
            cost INTEGER NOT NULL CHECK (cost >= 0),
            timestamp INTEGER NOT NULL,
            avoided_cost INTEGER,
            account_id TEXT,
            underwriting_id TEXT,
            metadata TEXT NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX charges_once ON charges (key) WHERE key IS NOT NULL;
        CREATE INDEX charges_by_run ON charges (run_id);
        CREATE INDEX charges_by_execution ON charges (execution_id);
        CREATE INDEX charges_by_time ON charges (timestamp);

        CREATE TABLE calls (
            seq INTEGER PRIMARY KEY,
            call_id TEXT NOT NULL UNIQUE,
            idempotency_key TEXT NOT NULL,
            state TEXT NOT NULL,
            run_id TEXT NOT NULL,
            execution_id TEXT NOT NULL,
            processor_id TEXT NOT NULL,
            input_id TEXT,
            service TEXT NOT NULL,
            operation TEXT NOT NULL,
            call_key TEXT NOT NULL,
            maximum_cost INTEGER NOT NULL,
            timestamp INTEGER NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX calls_by_item ON calls (execution_id, input_id);
        CREATE INDEX calls_by_run ON calls (run_id);
        CREATE INDEX calls_unknown ON calls (state) WHERE state IN ('open', 'in_doubt');

        CREATE TABLE cache (
            key TEXT NOT NULL PRIMARY KEY,
            service TEXT NOT NULL,
            operation TEXT NOT NULL,
            stored_at INTEGER NOT NULL,
            expires_at INTEGER,
            cost INTEGER NOT NULL,
            cost_id TEXT,
            value TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            hits INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE prices (
            seq INTEGER PRIMARY KEY,
            processor TEXT,
            service TEXT,
            operation TEXT,
            amount INTEGER NOT NULL,
            policy TEXT NOT NULL,
            effective_from INTEGER,
            entered_at INTEGER NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE events (
            place INTEGER PRIMARY KEY,
            run INTEGER AS (place >> 32) VIRTUAL,
            sequence INTEGER AS (place & 4294967295) VIRTUAL,
            kind TEXT NOT NULL,
            timestamp INTEGER NOT NULL,
            execution_id TEXT,
            processor_id TEXT,
            input_id TEXT,
            data TEXT NOT NULL
        ) STRICT;
        """

    /// The scope of calls, so that budgets count those with an unknown outcome.
    private static let version2 = """
        ALTER TABLE calls ADD COLUMN item_index INTEGER;
        ALTER TABLE calls ADD COLUMN step TEXT;
        ALTER TABLE calls ADD COLUMN account_id TEXT;
        ALTER TABLE calls ADD COLUMN underwriting_id TEXT;
        ALTER TABLE calls ADD COLUMN in_doubt TEXT NOT NULL DEFAULT 'hold';
        CREATE INDEX charges_by_account ON charges (account_id) WHERE account_id IS NOT NULL;
        """

    /// The slots of items, which determine the sizes of their batches.
    private static let version3 = "ALTER TABLE items ADD COLUMN slot TEXT"

    /// The queue of executions and their items. `moved` counts entries into a status.
    private static let version4 = """
        CREATE TABLE queue (
            number INTEGER PRIMARY KEY,
            execution_id TEXT NOT NULL UNIQUE REFERENCES executions (id),
            status TEXT NOT NULL,
            moved INTEGER NOT NULL,
            priority REAL NOT NULL,
            idempotency_key TEXT,
            record TEXT NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX queue_once ON queue (idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX queue_by_status ON queue (status, moved);

        CREATE TABLE queue_items (
            execution_id TEXT NOT NULL,
            idx INTEGER NOT NULL,
            input_id TEXT NOT NULL,
            account_id TEXT,
            underwriting_id TEXT,
            scope_execution_id TEXT,
            slot TEXT,
            data TEXT NOT NULL,
            payload TEXT,
            seal INTEGER NOT NULL,
            PRIMARY KEY (execution_id, idx)
        ) STRICT, WITHOUT ROWID;
        """

    /// States that were saved under names of their own.
    private static let version5 = """
        CREATE TABLE named_checkpoints (
            serial INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            processor_id TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            size_bytes INTEGER NOT NULL,
            data_type TEXT NOT NULL,
            metadata TEXT NOT NULL,
            preview TEXT NOT NULL,
            data TEXT NOT NULL,
            sha256 TEXT NOT NULL
        ) STRICT;
        """
}
