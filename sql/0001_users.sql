-- Accounts.
--
-- users          one row by id, or by handle whatever the case of its letters: profiles, log-in. The hash of the password
--                stands in it, and no statement that reads a profile names that column.
-- user_settings  one row a user, made with the user: the audience of each private thing, read together with the profile
--                as one JSON object, and alone to answer "may this viewer see that status?".
--
-- Here and in every later file: all times are bigint, milliseconds since the epoch, 0 = never. The clock is the
-- server process's, as in the other stores, so what was written is read back exactly and compares with them; no time zone
-- of a session can shift it. Ids of users, groups and conversations have no foreign keys across files: the parts are
-- separate stores to the code above, and each can be moved to a database of its own.

CREATE TABLE users (
  user_id uuid PRIMARY KEY,
  -- ASCII only: then lower() of the C collation is what the code's own lower case is.
  handle text NOT NULL CHECK (handle ~ '^[+A-Za-z0-9._-]{1,32}$'),
  display_name text NOT NULL CHECK (octet_length(display_name) <= 1024),
  status_message text NOT NULL DEFAULT '' CHECK (octet_length(status_message) <= 1024),
  photo_url text CHECK (octet_length(photo_url) <= 2048),
  created_at bigint NOT NULL CHECK (created_at >= 0),
  last_login_at bigint NOT NULL DEFAULT 0 CHECK (last_login_at >= 0),
  -- With its algorithm and parameters. NULL = no log-in by password.
  password_hash text CHECK (octet_length(password_hash) <= 1024)
);

CREATE UNIQUE INDEX users_handle ON users (lower(handle COLLATE "C"));

CREATE TABLE user_settings (
  user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
  last_seen text NOT NULL DEFAULT 'everyone' CHECK (last_seen IN ('everyone', 'contacts', 'nobody')),
  profile_photo text NOT NULL DEFAULT 'everyone' CHECK (profile_photo IN ('everyone', 'contacts', 'nobody')),
  about text NOT NULL DEFAULT 'everyone' CHECK (about IN ('everyone', 'contacts', 'nobody')),
  groups text NOT NULL DEFAULT 'everyone' CHECK (groups IN ('everyone', 'contacts', 'nobody')),
  read_receipts boolean NOT NULL DEFAULT true,
  message_notifications boolean NOT NULL DEFAULT true,
  group_notifications boolean NOT NULL DEFAULT true,
  call_notifications boolean NOT NULL DEFAULT true,
  notification_sound text NOT NULL DEFAULT 'default' CHECK (octet_length(notification_sound) <= 1024),
  security_notifications boolean NOT NULL DEFAULT true
);

-- verify
-- A handle is one whatever the case of its letters.
SELECT indisunique AND indisvalid FROM pg_index WHERE indexrelid = 'users_handle'::regclass;
