-- Statements of the message service. Each part: its name, then what it does; arguments are written :name.
-- Arguments and rows are typed in message-database.ts.

-- name: insertConversation
-- A conversation without messages; nothing happens when it is there.
INSERT INTO conversations (id, kind, created_at_ms, last_at_ms) VALUES (:id, :kind, :nowMs, :nowMs)
ON CONFLICT DO NOTHING;

-- name: insertMember
-- Nothing happens when the user is a member.
INSERT INTO members (conversation_id, user_id) VALUES (:conversationId, :userId)
ON CONFLICT DO NOTHING;

-- name: membership
-- A conversation as one member has it; no row when the user is not a member.
SELECT
  c.last_seq AS lastSeq, c.last_at_ms AS lastAtMs,
  m.delivered_seq AS deliveredSeq, m.read_seq AS readSeq
FROM members AS m JOIN conversations AS c ON c.id = m.conversation_id
WHERE m.conversation_id = :conversationId AND m.user_id = :userId;

-- name: members
SELECT user_id AS userId, delivered_seq AS deliveredSeq, read_seq AS readSeq
FROM members WHERE conversation_id = :conversationId
ORDER BY user_id;

-- name: conversation
SELECT id, kind, last_seq AS lastSeq, last_at_ms AS lastAtMs FROM conversations WHERE id = :id;

-- name: conversationsOf
-- Conversations of a user, newest activity first, from behind a place in that order.
SELECT c.id, c.kind, c.last_seq AS lastSeq, c.last_at_ms AS lastAtMs
FROM members AS m JOIN conversations AS c ON c.id = m.conversation_id
WHERE m.user_id = :userId AND (c.last_at_ms, c.id) < (:beforeMs, :beforeId)
ORDER BY c.last_at_ms DESC, c.id DESC
LIMIT :limit;

-- name: messageByClientId
-- What a sender has sent under a client id.
SELECT
  conversation_id AS conversationId, seq, sender_id AS senderId,
  client_id AS clientId, text, sent_at_ms AS sentAtMs
FROM messages WHERE sender_id = :senderId AND client_id = :clientId;

-- name: message
SELECT
  conversation_id AS conversationId, seq, sender_id AS senderId,
  client_id AS clientId, text, sent_at_ms AS sentAtMs
FROM messages WHERE conversation_id = :conversationId AND seq = :seq;

-- name: insertMessage
-- Fails on a sequence or a client id that exists.
INSERT INTO messages (conversation_id, seq, sender_id, client_id, text, sent_at_ms)
VALUES (:conversationId, :seq, :senderId, :clientId, :text, :sentAtMs);

-- name: advanceConversation
-- The newest message of a conversation is another one.
UPDATE conversations SET last_seq = :seq, last_at_ms = :sentAtMs WHERE id = :conversationId;

-- name: setReceipt
UPDATE members SET delivered_seq = :deliveredSeq, read_seq = :readSeq
WHERE conversation_id = :conversationId AND user_id = :userId;

-- name: newestMessages
-- Messages between two sequences, both left out, the newest first.
SELECT
  conversation_id AS conversationId, seq, sender_id AS senderId,
  client_id AS clientId, text, sent_at_ms AS sentAtMs
FROM messages
WHERE conversation_id = :conversationId AND seq > :afterSeq AND seq < :beforeSeq
ORDER BY seq DESC
LIMIT :limit;

-- name: oldestMessages
-- The same, the oldest first.
SELECT
  conversation_id AS conversationId, seq, sender_id AS senderId,
  client_id AS clientId, text, sent_at_ms AS sentAtMs
FROM messages
WHERE conversation_id = :conversationId AND seq > :afterSeq AND seq < :beforeSeq
ORDER BY seq
LIMIT :limit;

-- name: recentMessages
-- Messages sent since a time, in the order of their commits; at most the last :limit of all.
SELECT
  conversation_id AS conversationId, seq, sender_id AS senderId,
  client_id AS clientId, text, sent_at_ms AS sentAtMs
FROM messages
WHERE rowid > (SELECT max(rowid) FROM messages) - :limit AND sent_at_ms >= :sinceMs
ORDER BY rowid;
