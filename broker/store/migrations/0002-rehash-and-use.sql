-- Stored hashes follow the settings of Argon2id: a rehash of the same password raises `rehashes` and leaves the serial.
ALTER TABLE users ADD COLUMN rehashes INTEGER NOT NULL DEFAULT 0;

DROP TRIGGER users_serial;
CREATE TRIGGER users_serial BEFORE UPDATE OF hash, disabled, admin ON users
WHEN NEW.serial <= OLD.serial
    AND NOT (NEW.rehashes > OLD.rehashes AND NEW.disabled = OLD.disabled AND NEW.admin = OLD.admin)
BEGIN SELECT RAISE (ABORT, 'a user changed under the same serial'); END;

-- A connected desktop is use of the session that it came by: idle time counts from its end, however it ends.
CREATE TRIGGER connections_use AFTER UPDATE OF ended ON connections
WHEN NEW.ended IS NOT NULL AND NEW.web_session IS NOT NULL
BEGIN UPDATE web_sessions SET used = NEW.ended WHERE id = NEW.web_session AND used < NEW.ended; END;
