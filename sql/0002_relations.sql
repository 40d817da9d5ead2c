-- Who has whom as a contact and who blocks whom. Directed: user → other.
--
-- contacts       a user's contacts; whether one user has another (privacy, "contacts" audience).
-- blocked_users  a user's blocks; whether one user blocks another (every direct send, privacy in both directions).
--
-- How many a user may have is in the code's limits, kept by counting under a lock of that user.

CREATE TABLE contacts (
  user_id uuid NOT NULL,
  contact_user_id uuid NOT NULL,
  -- As the owner calls the contact; may be empty.
  name text NOT NULL CHECK (octet_length(name) <= 1024),
  PRIMARY KEY (user_id, contact_user_id)
);

CREATE TABLE blocked_users (
  user_id uuid NOT NULL,
  blocked_user_id uuid NOT NULL,
  PRIMARY KEY (user_id, blocked_user_id)
);
