import Assay
import GRDB

/// The tables of the store, created by append-only migrations.
///
/// What belongs to a run or a list in order is stored under one number, its `place`: the key of the run or list times
/// 2³² plus the place in it. The order on disk is therefore the order in which rows are written and read, and the key
/// costs almost nothing. The columns `run`, `list` and `idx` are derived from it for people with a SQL prompt. Amounts
/// are billionths, times are milliseconds since 1970, durations are nanoseconds. `seal` is the ``RowSeal`` of the
/// columns before it. Saved steps and cached values have no second index that a damaged row could contradict, so each
/// of them can be replaced or deleted in any state.
struct Schema {
    /// A step from an older database to a newer one.
    struct Migration {
        var name: String
        var sql: String
    }

    var migrations: [Migration]

    /// The schema that this version of the program writes.
    static let current = Schema(migrations: [Migration(name: "1", sql: version1 + logs)])

    /// The mark of a file as a store of this engine: "asay".
    static let applicationID: Int32 = 0x6173_6179

    /// The generation of stores that can be migrated. Stores of an earlier generation cannot be read.
    static let generation: Int32 = 1

    var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for migration in migrations {
            migrator.registerMigration(migration.name) { try $0.execute(sql: migration.sql) }
        }
        return migrator
    }

    /// The name of the newest migration.
    var version: String { migrations.last?.name ?? "0" }

    private static let version1 = """
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(generation);

        CREATE TABLE meta (
            name TEXT NOT NULL PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO meta (name, value) VALUES ('definition_key', lower(hex(randomblob(32))));

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

        -- Lists of items. `maker` is the run that appends to a list, null for a list that was submitted to the queue.
        -- `users` counts the runs and submissions that refer to a list, and the pages that refer to a chunk.
        CREATE TABLE lists (
            key INTEGER PRIMARY KEY AUTOINCREMENT,
            execution_id TEXT NOT NULL,
            number INTEGER NOT NULL,
            maker INTEGER,
            count INTEGER NOT NULL,
            users INTEGER NOT NULL,
            UNIQUE (execution_id, number)
        ) STRICT;

        CREATE TABLE list_pages (
            place INTEGER PRIMARY KEY,
            list INTEGER AS (place >> 32) VIRTUAL,
            idx INTEGER AS (place & 4294967295) VIRTUAL,
            count INTEGER NOT NULL,
            chunk INTEGER NOT NULL,
            first INTEGER NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE chunks (
            key INTEGER PRIMARY KEY,
            count INTEGER NOT NULL,
            users INTEGER NOT NULL,
            seal INTEGER NOT NULL,
            data BLOB NOT NULL
        ) STRICT;

        CREATE TABLE run_lists (
            run INTEGER PRIMARY KEY,
            list INTEGER NOT NULL
        ) STRICT;

        -- What a run knows of the items that it took in together; see IntakeMarks.
        CREATE TABLE intakes (
            place INTEGER PRIMARY KEY,
            run INTEGER AS (place >> 32) VIRTUAL,
            idx INTEGER AS (place & 4294967295) VIRTUAL,
            count INTEGER NOT NULL,
            marks BLOB NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT;

        -- The runs whose outcomes a run takes over.
        CREATE TABLE carries (
            run INTEGER NOT NULL,
            source INTEGER NOT NULL,
            PRIMARY KEY (run, source)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX carries_by_source ON carries (source);

        CREATE TABLE transformed (
            place INTEGER PRIMARY KEY,
            value TEXT NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT;

        -- The name of an outcome's item is on the list of its run. Status 0 is succeeded; see OutcomeRow.
        CREATE TABLE outcomes (
            place INTEGER PRIMARY KEY,
            run INTEGER AS (place >> 32) VIRTUAL,
            idx INTEGER AS (place & 4294967295) VIRTUAL,
            status INTEGER NOT NULL,
            flags INTEGER NOT NULL,
            reason TEXT,
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
            worth INTEGER,
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
            basis TEXT NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX charges_once ON charges (key) WHERE key IS NOT NULL;
        CREATE INDEX charges_by_run ON charges (run_id);
        CREATE INDEX charges_by_execution ON charges (execution_id);
        CREATE INDEX charges_by_time ON charges (timestamp);
        CREATE INDEX charges_by_account ON charges (account_id) WHERE account_id IS NOT NULL;

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
            item_index INTEGER,
            step TEXT,
            account_id TEXT,
            underwriting_id TEXT,
            in_doubt TEXT NOT NULL,
            cache_key TEXT,
            resolution TEXT,
            unit_price INTEGER,
            billing TEXT NOT NULL,
            time_to_live INTEGER,
            is_repeat INTEGER NOT NULL,
            attempt TEXT,
            seal INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX calls_by_item ON calls (execution_id, input_id);
        CREATE INDEX calls_by_run ON calls (run_id);
        CREATE INDEX calls_unknown ON calls (state) WHERE state IN ('open', 'in_doubt');
        CREATE INDEX calls_in_doubt ON calls (cache_key) WHERE state = 'in_doubt';

        CREATE TABLE doubts_met (
            call_id TEXT NOT NULL,
            run_id TEXT NOT NULL,
            execution_id TEXT NOT NULL,
            PRIMARY KEY (call_id, run_id)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE cache (
            key TEXT NOT NULL PRIMARY KEY,
            service TEXT NOT NULL,
            operation TEXT NOT NULL,
            stored_at INTEGER NOT NULL,
            expires_at INTEGER,
            cost INTEGER NOT NULL,
            keyed TEXT NOT NULL,
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
            graph_id TEXT,
            input_id TEXT,
            data TEXT NOT NULL
        ) STRICT;

        -- The queue of executions. `moved` counts entries into a status.
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

        CREATE TABLE admissions (
            number INTEGER PRIMARY KEY,
            rate TEXT NOT NULL,
            moment INTEGER NOT NULL,
            seal INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX admissions_by_rate ON admissions (rate);

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

        """
}
