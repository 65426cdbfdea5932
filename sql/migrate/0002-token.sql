-- Who may ask over HTTP (lib/auth.h).  A token is not kept, its SHA-256 is.
-- It never changes: another right is another token.

CREATE TABLE token (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL CONSTRAINT token_name_has_1_to_64_characters CHECK (length(name) BETWEEN 1 AND 64),
  role TEXT NOT NULL CONSTRAINT role_is_known CHECK (role IN ('read','write','worker') OR role = 'admin' AND projects IS NULL),
  projects TEXT CONSTRAINT projects_is_a_list CHECK (json_type(projects) = 'array'), -- ids; NULL: all
  hash TEXT NOT NULL UNIQUE CONSTRAINT hash_has_64_digits CHECK (length(hash) = 64),
  created_at TEXT NOT NULL DEFAULT (now()),
  expires_at TEXT,
  used_at TEXT,          -- to the hour
  revoked_at TEXT
) STRICT;
CREATE UNIQUE INDEX token_name ON token(name) WHERE revoked_at IS NULL;
-- Every start reads the schema: few triggers.
CREATE TRIGGER token_added AFTER INSERT ON token BEGIN
  INSERT INTO event(noun, what, id, data) VALUES ('token', 'added', NEW.name, json_object('role', NEW.role, 'projects', json(NEW.projects), 'expires_at', NEW.expires_at));
END;
CREATE TRIGGER token_revoked AFTER UPDATE OF name, role, projects, hash, expires_at, revoked_at ON token BEGIN
  SELECT raise(ABORT, 'a token does not change: revoke it and add another') WHERE OLD.revoked_at IS NOT NULL OR NEW.revoked_at IS NULL;
  INSERT INTO event(noun, what, id, data) VALUES ('token', 'revoked', NEW.name, json_object('role', NEW.role));
END;
CREATE TRIGGER token_stays BEFORE DELETE ON token BEGIN SELECT raise(ABORT, 'a token is kept: revoke it'); END;
