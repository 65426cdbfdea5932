-- Who may ask over HTTP: tokens, what is looked up of them for each request
-- (lib/auth.c), the sessions of browsers, and log-ins that failed.

-- :define token
json_object('number', number, 'name', name, 'role', role, 'projects', json(projects), 'created_at', created_at, 'expires_at', expires_at, 'used_at', used_at, 'revoked_at', revoked_at)

-- Whoever makes it keeps it to himself: what comes here is its SHA-256.
-- :verb token.add WRITE ADMIN
-- :in name:text! role:text projects:array expires_at:text hash:text!
SELECT refuse(65, 'hash: want the SHA-256 of the token, 64 hex digits') WHERE length(@hash) <> 64 OR @hash GLOB '*[^0-9a-f]*';
SELECT refuse(65, 'name: want letters, digits and any of ._@-') WHERE @name GLOB '*[^a-zA-Z0-9._@-]*';
SELECT refuse(65, 'role: want read, write, worker or admin, got ' || @role) WHERE @role NOT IN ('read', 'write', 'worker', 'admin');
SELECT refuse(65, 'an admin''s token is for all projects') WHERE @role = 'admin' AND json_array_length(@projects) > 0;
SELECT refuse(65, 'expires_at: not a time to come: ' || @expires_at) WHERE NOT coalesce(@expires_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' AND date(substr(@expires_at, 1, 10)) = substr(@expires_at, 1, 10) AND julianday(@expires_at) > julianday(now()), @expires_at IS NULL);
SELECT refuse(65, 'a token is named ' || name || ' already') FROM token WHERE name = @name AND revoked_at IS NULL;
SELECT CASE WHEN (SELECT count(*) FROM project p WHERE p.deleted_at IS NULL AND (p.id = r.value OR p.number = num(r.value) OR p.name = r.value)) <> 1 THEN refuse(66, 'no such project, or several: ' || r.value) END FROM json_each(@projects) r;
INSERT INTO token(name, role, projects, hash, expires_at)
SELECT @name, coalesce(@role, 'read'), (SELECT nullif(json_group_array(DISTINCT p.id), '[]') FROM json_each(@projects) r JOIN project p ON p.deleted_at IS NULL AND (p.id = r.value OR p.number = num(r.value) OR p.name = r.value)), @hash, strftime('%Y-%m-%dT%H:%M:%fZ', @expires_at)
RETURNING $(token) AS json;

-- :verb token.list READ ADMIN
-- :in deleted:bool after:int limit:int
SELECT $(token) AS json FROM token WHERE (revoked_at IS NULL OR @deleted) AND number > coalesce(@after, 0) ORDER BY number LIMIT coalesce(@limit, -1);

-- :verb token.remove WRITE ADMIN
-- :in token:text!
SELECT refuse(66, 'no such token: ' || @token) WHERE NOT EXISTS (SELECT 1 FROM token WHERE name = @token AND revoked_at IS NULL);
UPDATE token SET revoked_at = now() WHERE name = @token AND revoked_at IS NULL RETURNING $(token) AS json;

-- --- what the server asks itself ---

-- All that holds for every request.  An admin's token that has expired counts
-- as one: that it did must not open the door.
-- :verb auth.state READ LOCAL
SELECT json_object('admin', EXISTS (SELECT 1 FROM token WHERE role = 'admin' AND revoked_at IS NULL), 'any', EXISTS (SELECT 1 FROM token WHERE revoked_at IS NULL),
  'failures', EXISTS (SELECT 1 FROM kept WHERE key > 'failed ' AND key < 'failed!' AND CAST(value AS INTEGER) >= 10 AND at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-60 seconds')),
  'origins', (SELECT value FROM setting WHERE key = 'cors_origins' AND NOT secret), 'users', (SELECT value FROM setting WHERE key = 'remote_users' AND NOT secret)) AS json;

-- until: seconds since 1970.  old: its used_at is not of this hour.
-- :verb auth.token READ ONE LOCAL
-- :in hash:text!
SELECT json_object('number', number, 'name', name, 'role', role, 'projects', json(projects), 'until', CAST(strftime('%s', expires_at) AS INTEGER), 'revoked', revoked_at IS NOT NULL, 'old', coalesce(used_at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 hour'), 1)) AS json FROM token WHERE hash = @hash;

-- :verb auth.used WRITE LOCAL
-- :in hash:text!
UPDATE token SET used_at = now() WHERE hash = @hash;

-- :verb auth.job READ ONE LOCAL
-- :in number:int!
SELECT json_object('id', id, 'fence', fence, 'ticket', ticket_id, 'project', project_id, 'runs', state = 'running') AS json FROM job WHERE number = @number;

-- A session (in kept, so a day at most): of which credential, by its SHA-256,
-- and under which name of this server.
-- :verb auth.session READ ONE LOCAL
-- :in hash:text!
SELECT json_object('hash', value ->> 'hash', 'host', value ->> 'host') AS json FROM kept WHERE key = 'session ' || @hash AND at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-12 hours');

-- :define tidy_kept
DELETE FROM kept WHERE number IN (SELECT number FROM kept ORDER BY number LIMIT 10) AND at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')

-- :verb auth.login WRITE LOCAL
-- :in session:text! hash:text! host:text
$(tidy_kept);
INSERT INTO kept(key, value, at) VALUES ('session ' || @session, json_object('hash', @hash, 'host', @host), now());

-- :verb auth.logout WRITE LOCAL
-- :in session:text!
DELETE FROM kept WHERE key = 'session ' || @session;

-- Ten failures of an address in a minute, and it waits until that is over.
-- :verb auth.failures READ ONE LOCAL
-- :in address:text!
SELECT json_object('wait', CAST(61 - (julianday('now') - julianday(at)) * 86400 AS INTEGER)) AS json FROM kept WHERE key = 'failed ' || @address AND CAST(value AS INTEGER) >= 10 AND at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-60 seconds');

-- :verb auth.failed WRITE LOCAL
-- :in address:text!
$(tidy_kept);
INSERT INTO kept(key, value, at) VALUES ('failed ' || @address, '1', now())
ON CONFLICT (key) DO UPDATE SET value = iif(at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-60 seconds'), CAST(value AS INTEGER) + 1, 1), at = iif(at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-60 seconds'), at, excluded.at);

-- Is all that a call names within the projects of only?  A name may mean
-- several things: then all of them must be.  ticket_id and job_id: those of
-- the one job whose token it is.
-- :define outside
refuse(77, 'not with this token: ' || r.value)
-- :verb auth.scope READ LOCAL
-- :in only:array! project:array ticket:array job:array pr:array note:array ticket_id:text job_id:text
SELECT $(outside) FROM json_each(@project) r WHERE NOT EXISTS (SELECT 1 FROM project p WHERE p.id = r.value OR p.number = num(r.value) OR p.name = r.value)
  OR EXISTS (SELECT 1 FROM project p WHERE (p.id = r.value OR p.number = num(r.value) OR p.name = r.value) AND p.id NOT IN (SELECT value FROM json_each(@only)));
SELECT $(outside) FROM json_each(@ticket) r WHERE NOT EXISTS (SELECT 1 FROM ticket t WHERE t.id = r.value OR t.number = num(r.value))
  OR EXISTS (SELECT 1 FROM ticket t WHERE (t.id = r.value OR t.number = num(r.value)) AND (t.project_id NOT IN (SELECT value FROM json_each(@only)) OR t.id <> coalesce(@ticket_id, t.id)));
SELECT $(outside) FROM json_each(@job) r WHERE NOT EXISTS (SELECT 1 FROM job j WHERE j.id = r.value OR j.number = num(r.value))
  OR EXISTS (SELECT 1 FROM job j WHERE (j.id = r.value OR j.number = num(r.value)) AND (j.project_id NOT IN (SELECT value FROM json_each(@only)) OR j.id <> coalesce(@job_id, j.id)));
SELECT $(outside) FROM json_each(@pr) r WHERE NOT EXISTS (SELECT 1 FROM pr p WHERE p.id = r.value OR p.number = num(r.value))
  OR EXISTS (SELECT 1 FROM pr p WHERE (p.id = r.value OR p.number = num(r.value)) AND (p.project_id NOT IN (SELECT value FROM json_each(@only)) OR p.ticket_id <> coalesce(@ticket_id, p.ticket_id)));
SELECT $(outside) FROM json_each(@note) r WHERE NOT EXISTS (SELECT 1 FROM note n WHERE n.id = r.value OR n.number = num(r.value))
  OR EXISTS (SELECT 1 FROM note n WHERE (n.id = r.value OR n.number = num(r.value)) AND n.project_id NOT IN (SELECT value FROM json_each(@only)));
