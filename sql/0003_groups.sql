-- Groups: the truth about who is a member. The log of a group follows it.
--
-- groups            a group by id; its membership_version is what every change compares and moves by one.
-- group_members     the members of a group; the groups of a user (chat list of a new device, mutual groups).
-- member_intervals  what a user could read of a group and when, also after leaving.
-- group_changes     a change by version, or by the message that asked for it (a retry is the same change); those whose
--                   system row is not known to be in the log, of one group or of all (start-up).

CREATE TABLE groups (
  group_id uuid PRIMARY KEY,
  name text NOT NULL CHECK (octet_length(name) <= 1024),
  creator_id uuid NOT NULL,
  created_at bigint NOT NULL CHECK (created_at >= 0),
  membership_version integer NOT NULL CHECK (membership_version >= 1)
);

CREATE TABLE group_members (
  group_id uuid NOT NULL REFERENCES groups,
  user_id uuid NOT NULL,
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
  -- Version of the change that made the current interval: with user and group its key in member_intervals.
  joined_version integer NOT NULL CHECK (joined_version >= 1),
  -- 0 = the system row of that change is not in the log yet: reads nothing.
  joined_seq bigint NOT NULL DEFAULT 0 CHECK (joined_seq >= 0),
  PRIMARY KEY (group_id, user_id)
);

CREATE INDEX group_members_user ON group_members (user_id, group_id);

-- [joined_seq, left_seq). joined (both seqs 0) → readable (the join settled) → left (left_version > 0) → closed (the change
-- that ended it settled, left_seq > 0). Never deleted: it is what one may read of the past.
CREATE TABLE member_intervals (
  group_id uuid NOT NULL REFERENCES groups,
  user_id uuid NOT NULL,
  joined_version integer NOT NULL CHECK (joined_version >= 1),
  joined_seq bigint NOT NULL DEFAULT 0 CHECK (joined_seq >= 0),
  left_version integer NOT NULL DEFAULT 0 CHECK (left_version = 0 OR left_version > joined_version),
  left_seq bigint NOT NULL DEFAULT 0 CHECK (left_seq = 0 OR left_version > 0),
  PRIMARY KEY (group_id, user_id, joined_version)
);

CREATE TABLE group_changes (
  group_id uuid NOT NULL REFERENCES groups,
  version integer NOT NULL CHECK (version >= 1),
  message_id uuid NOT NULL,
  since bigint NOT NULL CHECK (since >= 0),
  actor_id uuid NOT NULL,
  actor_device integer NOT NULL CHECK (actor_device >= 0),
  kind text NOT NULL CHECK (kind IN ('create', 'add', 'remove', 'leave', 'role', 'rename')),
  user_ids uuid[] NOT NULL CHECK (cardinality(user_ids) <= 1024),
  role text CHECK (role IN ('owner', 'admin', 'member')),
  name text CHECK (octet_length(name) <= 1024),
  at bigint NOT NULL CHECK (at >= 0),
  -- Of the system row; 0 = not known to be in the log.
  seq bigint NOT NULL DEFAULT 0 CHECK (seq >= 0),
  PRIMARY KEY (group_id, version),
  UNIQUE (group_id, message_id)
);

CREATE INDEX group_changes_pending ON group_changes (group_id, version) WHERE seq = 0;
