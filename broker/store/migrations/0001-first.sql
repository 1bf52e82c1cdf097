-- The promises I1, I4, I6 to I8, I10 and I12 of the design, as constraints. Times are ms since 1970, UTC.

CREATE TABLE nodes (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 255)
) STRICT;

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 63
        AND name GLOB '[A-Za-z0-9]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
    admin INTEGER NOT NULL DEFAULT 0 CHECK (admin IN (0, 1)),
    disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    serial INTEGER NOT NULL DEFAULT 1,
    hash TEXT NOT NULL CHECK (hash GLOB '$argon2id$*'),
    made INTEGER NOT NULL
) STRICT;

CREATE TABLE templates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 63
        AND name GLOB '[A-Za-z0-9]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
    kind TEXT NOT NULL CHECK (kind IN ('vm', 'pattern')),
    image TEXT NOT NULL, kernel TEXT NOT NULL, initrd TEXT NOT NULL, cmdline TEXT NOT NULL,
    firmware TEXT NOT NULL CHECK (firmware IN ('bios', 'uefi')),
    video TEXT NOT NULL CHECK (video IN ('virtio', 'vga')),
    xkb_layout TEXT NOT NULL, xkb_variant TEXT NOT NULL,
    memory_mib INTEGER NOT NULL CHECK (memory_mib BETWEEN 16 AND 16777216),
    vcpus INTEGER NOT NULL CHECK (vcpus BETWEEN 1 AND 1024),
    width INTEGER NOT NULL CHECK (width BETWEEN 320 AND 8192),
    height INTEGER NOT NULL CHECK (height BETWEEN 200 AND 8192),
    made INTEGER NOT NULL,
    CHECK (kind = 'pattern' OR image <> '' OR kernel <> '')
) STRICT;

CREATE TABLE pools (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    template INTEGER NOT NULL REFERENCES templates (id),
    limit_per_user INTEGER NOT NULL DEFAULT 1 CHECK (limit_per_user >= 1)
) STRICT;

-- UNIQUE on VM and disk: I3. epoch is the one of the last lease and never falls.
CREATE TABLE desktops (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 63
        AND name GLOB '[A-Za-z0-9]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
    node INTEGER NOT NULL REFERENCES nodes (id),
    template INTEGER NOT NULL REFERENCES templates (id),
    pool INTEGER REFERENCES pools (id),
    domain TEXT UNIQUE,
    uuid TEXT UNIQUE COLLATE NOCASE,
    disk TEXT UNIQUE,
    epoch INTEGER NOT NULL DEFAULT 0,
    removing INTEGER NOT NULL DEFAULT 0 CHECK (removing IN (0, 1)),
    made INTEGER NOT NULL,
    CHECK ((domain IS NULL) = (uuid IS NULL))
) STRICT;
CREATE INDEX desktops_of_template ON desktops (template);

CREATE TABLE assignments (
    desktop INTEGER PRIMARY KEY REFERENCES desktops (id),
    user INTEGER NOT NULL REFERENCES users (id),
    made INTEGER NOT NULL,
    UNIQUE (desktop, user)
) STRICT;
CREATE INDEX assignments_of_user ON assignments (user);

-- One row a desktop: I1. Given back by deletion, never changed, never timed out.
CREATE TABLE leases (
    desktop INTEGER PRIMARY KEY REFERENCES desktops (id),
    user INTEGER NOT NULL REFERENCES users (id),
    node INTEGER NOT NULL REFERENCES nodes (id),
    epoch INTEGER NOT NULL,
    made INTEGER NOT NULL
) STRICT;
CREATE INDEX leases_of_user ON leases (user);

CREATE TABLE web_sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    made INTEGER NOT NULL,
    used INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    idle INTEGER NOT NULL
) STRICT;
CREATE INDEX web_sessions_of_user ON web_sessions (user);

CREATE TABLE connections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    desktop INTEGER NOT NULL REFERENCES desktops (id) ON DELETE CASCADE,
    user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    web_session INTEGER REFERENCES web_sessions (id) ON DELETE SET NULL,
    protocol TEXT NOT NULL CHECK (protocol IN ('rdp', 'vnc', 'web')),
    address TEXT NOT NULL,
    since INTEGER NOT NULL,
    ended INTEGER,
    reason TEXT,
    CHECK ((ended IS NULL) = (reason IS NULL))
) STRICT;
CREATE UNIQUE INDEX connections_open ON connections (desktop) WHERE ended IS NULL;
CREATE INDEX connections_of_user ON connections (user);
CREATE INDEX connections_of_session ON connections (web_session);

-- A ticket leans on the assignment and on the session that asked for it: it goes with either (I8). Used up by deletion (I7).
CREATE TABLE tickets (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
    web_session INTEGER NOT NULL REFERENCES web_sessions (id) ON DELETE CASCADE,
    desktop INTEGER NOT NULL,
    user INTEGER NOT NULL,
    protocol TEXT NOT NULL CHECK (protocol IN ('rdp', 'vnc', 'web')),
    expires INTEGER NOT NULL,
    FOREIGN KEY (desktop, user) REFERENCES assignments (desktop, user) ON DELETE CASCADE
) STRICT;
CREATE INDEX tickets_of_session ON tickets (web_session);
CREATE INDEX tickets_of_assignment ON tickets (desktop, user);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    result TEXT NOT NULL,
    address TEXT NOT NULL
) STRICT;

CREATE TRIGGER users_serial BEFORE UPDATE OF hash, disabled, admin ON users WHEN NEW.serial <= OLD.serial
BEGIN SELECT RAISE (ABORT, 'a user changed under the same serial'); END;

CREATE TRIGGER users_tickets AFTER UPDATE OF serial ON users
BEGIN DELETE FROM tickets WHERE user = NEW.id; END;

CREATE TRIGGER desktops_epoch BEFORE UPDATE OF epoch ON desktops WHEN NEW.epoch <= OLD.epoch
BEGIN SELECT RAISE (ABORT, 'an epoch fell'); END;

CREATE TRIGGER desktops_removing BEFORE UPDATE OF removing ON desktops
WHEN NEW.removing = 1 AND EXISTS (SELECT 1 FROM assignments WHERE desktop = NEW.id)
BEGIN SELECT RAISE (ABORT, 'an assigned desktop is not removed'); END;

CREATE TRIGGER desktops_delete BEFORE DELETE ON desktops
WHEN OLD.removing = 0 OR EXISTS (SELECT 1 FROM connections WHERE desktop = OLD.id AND ended IS NULL)
BEGIN SELECT RAISE (ABORT, 'a desktop in use is not deleted'); END;

CREATE TRIGGER users_delete BEFORE DELETE ON users
WHEN EXISTS (SELECT 1 FROM connections WHERE user = OLD.id AND ended IS NULL)
BEGIN SELECT RAISE (ABORT, 'a connected user is not deleted'); END;

CREATE TRIGGER assignments_insert BEFORE INSERT ON assignments
WHEN (SELECT removing FROM desktops WHERE id = NEW.desktop) = 1
BEGIN SELECT RAISE (ABORT, 'a desktop that is being removed is not assigned'); END;

-- Who loses the assignment cannot stay connected (I8).
CREATE TRIGGER assignments_delete BEFORE DELETE ON assignments
WHEN EXISTS (SELECT 1 FROM connections WHERE desktop = OLD.desktop AND ended IS NULL)
BEGIN SELECT RAISE (ABORT, 'a connected desktop is not unassigned'); END;

CREATE TRIGGER assignments_update BEFORE UPDATE ON assignments
BEGIN SELECT RAISE (ABORT, 'an assignment is made and removed, never changed'); END;

CREATE TRIGGER leases_insert BEFORE INSERT ON leases
WHEN NOT EXISTS (SELECT 1 FROM assignments a JOIN desktops d ON d.id = a.desktop JOIN users u ON u.id = a.user
    WHERE a.desktop = NEW.desktop AND a.user = NEW.user AND d.epoch = NEW.epoch AND d.removing = 0 AND u.disabled = 0)
BEGIN SELECT RAISE (ABORT, 'a lease without a right to it'); END;

CREATE TRIGGER leases_update BEFORE UPDATE ON leases
BEGIN SELECT RAISE (ABORT, 'a lease is granted and given back, never changed'); END;

CREATE TRIGGER leases_delete BEFORE DELETE ON leases
WHEN EXISTS (SELECT 1 FROM connections WHERE desktop = OLD.desktop AND ended IS NULL)
BEGIN SELECT RAISE (ABORT, 'a lease in use is not given back'); END;

CREATE TRIGGER connections_insert BEFORE INSERT ON connections
WHEN NEW.ended IS NOT NULL OR NOT EXISTS (SELECT 1 FROM leases l
    JOIN assignments a ON a.desktop = l.desktop AND a.user = l.user JOIN users u ON u.id = l.user
    WHERE l.desktop = NEW.desktop AND l.user = NEW.user AND l.epoch = NEW.epoch AND u.disabled = 0)
BEGIN SELECT RAISE (ABORT, 'a connection without a lease'); END;

CREATE TRIGGER connections_update BEFORE UPDATE OF id, desktop, user, epoch, protocol, address, since, ended ON connections
WHEN OLD.ended IS NOT NULL OR NEW.ended IS NULL
BEGIN SELECT RAISE (ABORT, 'a connection is opened and closed once'); END;

CREATE TRIGGER audit_update BEFORE UPDATE ON audit
WHEN OLD.result <> 'pending' OR NEW.id <> OLD.id OR NEW.time <> OLD.time OR NEW.actor <> OLD.actor
    OR NEW.action <> OLD.action OR NEW.object <> OLD.object
BEGIN SELECT RAISE (ABORT, 'the audit is only written once'); END;

CREATE TRIGGER audit_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE (ABORT, 'the audit is not deleted'); END;
