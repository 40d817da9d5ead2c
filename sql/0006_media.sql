-- What is known of media; the bytes are in the object store.
--
-- media  one by id; those that no message refers to, oldest first (collection); those that are being collected.

CREATE TABLE media (
  media_id uuid PRIMARY KEY,
  owner_id uuid NOT NULL,
  state text NOT NULL CHECK (state IN ('uploading', 'ready', 'doomed')),
  object_name text NOT NULL UNIQUE CHECK (octet_length(object_name) <= 128),
  size_bytes bigint NOT NULL CHECK (size_bytes BETWEEN 0 AND 104857600),
  -- Of the ciphertext.
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  -- Of a multipart upload, as the object store calls it. NULL = one PUT.
  upload_id text CHECK (octet_length(upload_id) <= 2048),
  created_at bigint NOT NULL CHECK (created_at >= 0),
  -- When a message first referred to it; 0 = none has.
  attached_at bigint NOT NULL DEFAULT 0 CHECK (attached_at >= 0),
  CHECK (attached_at = 0 OR state = 'ready')
);

CREATE INDEX media_orphans ON media (created_at) WHERE attached_at = 0 AND state <> 'doomed';
CREATE INDEX media_doomed ON media (created_at) WHERE state = 'doomed';
