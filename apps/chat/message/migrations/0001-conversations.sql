-- Conversations, their members and messages. All times are milliseconds since 1970.

CREATE TABLE conversations (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('direct')),
  created_at_ms INTEGER NOT NULL,
  -- Sequence and time of the newest message; 0 and the time of creation before the first.
  last_seq INTEGER NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
  last_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
  conversation_id TEXT NOT NULL REFERENCES conversations (id),
  user_id TEXT NOT NULL,
  -- Highest sequence that reached a device of the member, and that the member has read.
  delivered_seq INTEGER NOT NULL DEFAULT 0,
  read_seq INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (conversation_id, user_id),
  CHECK (0 <= read_seq AND read_seq <= delivered_seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE messages (
  conversation_id TEXT NOT NULL REFERENCES conversations (id),
  -- 1, 2, 3, … in each conversation, without gaps.
  seq INTEGER NOT NULL CHECK (seq >= 1),
  sender_id TEXT NOT NULL,
  -- Chosen by the sender's device. A resend finds its first result by it, for ever.
  client_id TEXT NOT NULL,
  text TEXT NOT NULL,
  sent_at_ms INTEGER NOT NULL,
  PRIMARY KEY (conversation_id, seq),
  UNIQUE (sender_id, client_id)
) STRICT;
