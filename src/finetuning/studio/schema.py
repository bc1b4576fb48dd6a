"""The tables, as migrations by number; `PRAGMA user_version` says which have been applied."""

from __future__ import annotations

import sqlite3

from finetuning.errors import StudioError

__all__ = ["MIGRATIONS", "migrate"]

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE accounts (
            id TEXT PRIMARY KEY,
            role TEXT NOT NULL UNIQUE CHECK (role IN ('user', 'house')),
            email TEXT NOT NULL,
            name TEXT NOT NULL,
            tier TEXT NOT NULL,
            monthly_credits INTEGER,
            pack_credits INTEGER NOT NULL DEFAULT 0 CHECK (pack_credits >= 0),
            deleted INTEGER NOT NULL DEFAULT 0
        ) STRICT""",
        """CREATE TABLE api_keys (
            key TEXT PRIMARY KEY,
            account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE generations (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            title TEXT NOT NULL,
            tags TEXT NOT NULL,
            lyrics TEXT NOT NULL DEFAULT '',
            bpm INTEGER NOT NULL,
            requested_duration REAL NOT NULL,
            key TEXT NOT NULL,
            scale TEXT NOT NULL,
            time_signature INTEGER NOT NULL,
            language TEXT,
            seed INTEGER NOT NULL,
            webhook TEXT,
            webhook_fired INTEGER NOT NULL DEFAULT 0,
            status TEXT NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
            is_public INTEGER NOT NULL DEFAULT 0,
            play_count INTEGER NOT NULL DEFAULT 0,
            like_count INTEGER NOT NULL DEFAULT 0,
            download_count INTEGER NOT NULL DEFAULT 0,
            duration REAL,
            file_size INTEGER,
            etag TEXT,
            generation_time REAL,
            error_message TEXT,
            created_at REAL NOT NULL,
            completed_at REAL
        ) STRICT""",
        "CREATE INDEX generations_by_account ON generations (account_id, seq)",
        "CREATE INDEX generations_by_status ON generations (account_id, status, seq)",
        """CREATE INDEX webhooks_to_fire ON generations (seq)
            WHERE webhook IS NOT NULL AND webhook_fired = 0 AND status IN ('completed', 'failed')""",
        """CREATE TABLE scores (
            generation_id TEXT PRIMARY KEY REFERENCES generations (id) ON DELETE CASCADE,
            midi BLOB NOT NULL,
            understood TEXT NOT NULL
        ) STRICT""",
        # The ledger: one row a generation that was accepted, kept when the generation is deleted.
        """CREATE TABLE spending (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            generation_id TEXT NOT NULL UNIQUE,
            source TEXT NOT NULL CHECK (source IN ('month', 'pack')),
            month TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX spending_by_month ON spending (account_id, source, month)",
        """CREATE TABLE jobs (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            generation_id TEXT NOT NULL UNIQUE REFERENCES generations (id) ON DELETE CASCADE,
            account_id TEXT NOT NULL,
            priority INTEGER NOT NULL,
            deaths INTEGER NOT NULL DEFAULT 0,
            owner TEXT,
            lease REAL
        ) STRICT""",
        "CREATE INDEX jobs_in_order ON jobs (priority, seq)",
        "CREATE INDEX jobs_by_account ON jobs (account_id)",
        """CREATE TABLE playlists (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            description TEXT,
            is_public INTEGER NOT NULL DEFAULT 0,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL
        ) STRICT""",
        """CREATE TABLE playlist_tracks (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            playlist_id TEXT NOT NULL REFERENCES playlists (id) ON DELETE CASCADE,
            generation_id TEXT NOT NULL REFERENCES generations (id) ON DELETE CASCADE,
            UNIQUE (playlist_id, generation_id)
        ) STRICT""",
        "CREATE INDEX playlists_of_track ON playlist_tracks (generation_id)",
    ),
    ("ALTER TABLE generations ADD COLUMN backfilled INTEGER NOT NULL DEFAULT 0",),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables up to date, in one transaction; of two processes that try at once, one waits.

    Raises
    ------
    StudioError
        If the folder was written by a newer version of the package.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise StudioError(
                f"The studio's folder has format {version}; this version of finetuning reads up to {len(MIGRATIONS)}.",
                hint="Upgrade finetuning, or give Studio another data_dir.",
            )
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
