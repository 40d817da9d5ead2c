-- Devices and log-ins. Tokens are kept as SHA-256 only.
--
-- device_numbers       one row a user who ever logged in: the next device's number (none is given twice) and how many
--                      there are. Whoever changes the devices of a user locks this row first.
-- devices              the devices of a user.
-- sessions             the open log-in of a device, by access token (every request), by refresh token (rotation), by
--                      family (is it still open? asked for every connection once a second). A row goes when its family
--                      closes, and takes its used tokens along.
-- used_refresh_hashes  a refresh token that an open family used before: its return closes the family.

CREATE TABLE device_numbers (
  user_id uuid PRIMARY KEY,
  last_device integer NOT NULL CHECK (last_device >= 1),
  device_count integer NOT NULL CHECK (device_count BETWEEN 0 AND 5)
);

CREATE TABLE devices (
  user_id uuid NOT NULL,
  device integer NOT NULL CHECK (device >= 1),
  name text NOT NULL CHECK (octet_length(name) <= 1024),
  created_at bigint NOT NULL CHECK (created_at >= 0),
  last_seen_at bigint NOT NULL CHECK (last_seen_at >= 0),
  PRIMARY KEY (user_id, device)
);

CREATE TABLE sessions (
  family_id uuid PRIMARY KEY,
  user_id uuid NOT NULL,
  device integer NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  refresh_hash bytea NOT NULL UNIQUE CHECK (octet_length(refresh_hash) = 32),
  access_hash bytea NOT NULL UNIQUE CHECK (octet_length(access_hash) = 32),
  access_expires_at bigint NOT NULL CHECK (access_expires_at >= 0),
  refresh_expires_at bigint NOT NULL CHECK (refresh_expires_at >= 0),
  UNIQUE (user_id, device),
  FOREIGN KEY (user_id, device) REFERENCES devices
);

CREATE TABLE used_refresh_hashes (
  refresh_hash bytea PRIMARY KEY CHECK (octet_length(refresh_hash) = 32),
  family_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
  -- The version of the session whose token it was.
  version integer NOT NULL CHECK (version >= 1)
);

CREATE UNIQUE INDEX used_refresh_hashes_version ON used_refresh_hashes (family_id, version);
