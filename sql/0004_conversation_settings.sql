-- How a user keeps one conversation, apart from its messages.
--
-- conversation_settings  all of one user's.

CREATE TABLE conversation_settings (
  user_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  -- 0 = not muted.
  muted_until bigint NOT NULL CHECK (muted_until >= 0),
  pinned boolean NOT NULL,
  archived boolean NOT NULL,
  PRIMARY KEY (user_id, conversation_id)
);
