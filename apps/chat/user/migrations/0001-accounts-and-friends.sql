-- Accounts, sessions, friendships and requests. All times are milliseconds since 1970.

CREATE TABLE users (
  id TEXT PRIMARY KEY,
  -- Lower case, letters of ASCII only.
  username TEXT NOT NULL UNIQUE,
  nickname TEXT NOT NULL,
  -- The nickname as searches compare it, see fold.ts.
  nickname_folded TEXT NOT NULL,
  -- $scrypt$ln=…,r=…,p=…$salt$hash
  password_hash TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

-- Holds all that a search reads, so that it never touches the table.
CREATE INDEX users_by_name ON users (username, nickname_folded, id, nickname);

CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  -- SHA-256 of the token; the token itself is nowhere.
  token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at_ms INTEGER NOT NULL,
  renewed_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_by_user ON sessions (user_id, created_at_ms);
CREATE INDEX sessions_by_end ON sessions (expires_at_ms);

-- Two rows for each friendship, one from each side.
CREATE TABLE friendships (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  friend_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  since_ms INTEGER NOT NULL,
  PRIMARY KEY (user_id, friend_id),
  CHECK (user_id <> friend_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX friendships_by_friend ON friendships (friend_id);

CREATE TABLE friend_requests (
  id TEXT PRIMARY KEY,
  from_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  to_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  note TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'refused')),
  sent_at_ms INTEGER NOT NULL,
  answered_at_ms INTEGER,
  CHECK (from_id <> to_id),
  CHECK ((state = 'open') = (answered_at_ms IS NULL))
) STRICT;

-- At most one open request between two people, whoever asked.
CREATE UNIQUE INDEX friend_requests_open
  ON friend_requests (min(from_id, to_id), max(from_id, to_id)) WHERE state = 'open';
CREATE INDEX friend_requests_to ON friend_requests (to_id, sent_at_ms) WHERE state = 'open';
CREATE INDEX friend_requests_from ON friend_requests (from_id) WHERE state = 'open';
