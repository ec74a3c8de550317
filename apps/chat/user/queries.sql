-- Statements of the user service. Each part: its name, then what it does; arguments are written :name.
-- Arguments and rows are typed in user-database.ts.

-- name: insertUser
-- A new account. Fails on a taken username.
INSERT INTO users (id, username, nickname, nickname_folded, password_hash, created_at_ms)
VALUES (:id, :username, :nickname, :nicknameFolded, :passwordHash, :nowMs);

-- name: usernameTaken
-- One row if somebody has this username.
SELECT 1 AS taken FROM users WHERE username = :username;

-- name: account
-- What is needed to log somebody in.
SELECT id, username, nickname, password_hash AS passwordHash FROM users WHERE username = :username;

-- name: setPasswordHash
-- The same password, hashed with today's parameters.
UPDATE users SET password_hash = :passwordHash WHERE id = :id AND password_hash = :oldHash;

-- name: person
SELECT id, username, nickname FROM users WHERE id = :id;

-- name: people
-- The users whose ids stand in a JSON array.
SELECT id, username, nickname FROM users WHERE id IN (SELECT value FROM json_each(:ids));

-- name: findPeople
-- Users whose username or nickname contains a folded text; who matches as a whole first, then who begins
-- with it. instr() takes the text as it is, so nothing in it acts as a wildcard. requestFrom: who asked,
-- if a request between the two is open.
WITH found AS MATERIALIZED (
  SELECT
    id, username, nickname, nickname_folded,
    (username <> :text AND nickname_folded <> :text) AS partial,
    (instr(username, :text) <> 1 AND instr(nickname_folded, :text) <> 1) AS inside
  FROM users
  WHERE instr(username, :text) > 0 OR instr(nickname_folded, :text) > 0
  ORDER BY partial, inside, nickname_folded, username
  LIMIT :limit
)
SELECT
  u.id, u.username, u.nickname,
  u.id = :askerId AS isSelf,
  f.friend_id IS NOT NULL AS isFriend,
  r.from_id AS requestFrom
FROM found AS u
LEFT JOIN friendships AS f ON f.user_id = :askerId AND f.friend_id = u.id
LEFT JOIN friend_requests AS r
  ON r.state = 'open'
  AND min(r.from_id, r.to_id) = min(:askerId, u.id)
  AND max(r.from_id, r.to_id) = max(:askerId, u.id)
ORDER BY u.partial, u.inside, u.nickname_folded, u.username;

-- name: insertSession
INSERT INTO sessions (id, token_hash, user_id, created_at_ms, renewed_at_ms, expires_at_ms)
VALUES (:id, :tokenHash, :userId, :nowMs, :nowMs, :expiresAtMs);

-- name: session
-- The session of a token with its user, if it has not expired.
SELECT
  s.id AS sessionId, s.renewed_at_ms AS renewedAtMs, s.expires_at_ms AS expiresAtMs,
  u.id, u.username, u.nickname
FROM sessions AS s JOIN users AS u ON u.id = s.user_id
WHERE s.token_hash = :tokenHash AND s.expires_at_ms > :nowMs;

-- name: renewSession
UPDATE sessions SET renewed_at_ms = :nowMs, expires_at_ms = :expiresAtMs WHERE id = :id;

-- name: liveSessions
-- Those sessions of a JSON array of ids that have not expired.
SELECT id FROM sessions
WHERE id IN (SELECT value FROM json_each(:ids)) AND expires_at_ms > :nowMs;

-- name: deleteSession
-- The id of the session that is gone now; no row when there was none.
DELETE FROM sessions WHERE token_hash = :tokenHash RETURNING id;

-- name: deleteExpiredSessions
DELETE FROM sessions WHERE expires_at_ms <= :nowMs;

-- name: deleteOldSessions
-- All sessions of a user but the newest :keep.
DELETE FROM sessions WHERE id IN (
  SELECT id FROM sessions WHERE user_id = :userId
  ORDER BY created_at_ms DESC, rowid DESC LIMIT -1 OFFSET :keep
);

-- name: areFriends
-- One row if they are.
SELECT 1 AS friends FROM friendships WHERE user_id = :a AND friend_id = :b;

-- name: friends
-- Friends of a user by nickname.
SELECT u.id, u.username, u.nickname
FROM friendships AS f JOIN users AS u ON u.id = f.friend_id
WHERE f.user_id = :userId
ORDER BY u.nickname_folded, u.username;

-- name: countFriends
SELECT count(*) AS count FROM friendships WHERE user_id = :userId;

-- name: insertFriendship
-- One side of a friendship; nothing happens when it is there.
INSERT INTO friendships (user_id, friend_id, since_ms) VALUES (:userId, :friendId, :nowMs)
ON CONFLICT DO NOTHING;

-- name: insertRequest
INSERT INTO friend_requests (id, from_id, to_id, note, sent_at_ms)
VALUES (:id, :fromId, :toId, :note, :nowMs);

-- name: openRequestBetween
-- The open request of two people, whoever asked.
SELECT id, from_id AS fromId, to_id AS toId, note, state, sent_at_ms AS sentAtMs
FROM friend_requests
WHERE state = 'open'
  AND min(from_id, to_id) = min(:a, :b) AND max(from_id, to_id) = max(:a, :b);

-- name: request
SELECT id, from_id AS fromId, to_id AS toId, note, state, sent_at_ms AS sentAtMs
FROM friend_requests WHERE id = :id;

-- name: openRequestsTo
-- Open requests to a user with who asked, newest first.
SELECT
  r.id, r.note, r.state, r.sent_at_ms AS sentAtMs,
  u.id AS fromId, u.username AS fromUsername, u.nickname AS fromNickname
FROM friend_requests AS r JOIN users AS u ON u.id = r.from_id
WHERE r.to_id = :userId AND r.state = 'open'
ORDER BY r.sent_at_ms DESC, r.rowid DESC
LIMIT :limit;

-- name: countOpenRequestsFrom
SELECT count(*) AS count FROM friend_requests WHERE from_id = :userId AND state = 'open';

-- name: answerRequest
UPDATE friend_requests SET state = :state, answered_at_ms = :nowMs WHERE id = :id AND state = 'open';
