import type { User, UserSettings } from "../../core/model.ts";
import type { ProfilePatch } from "../../core/ports/users.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Postgres, Queries } from "./postgres.ts";
import { profileColumns, toUser, type ProfileRow } from "./profile-row.ts";
import { statement } from "./statement.ts";

/** NULL = not named by the patch: stays as it is. */
const updateProfile = statement(
  "update_profile",
  `UPDATE users u SET
     display_name = coalesce($2, u.display_name),
     status_message = coalesce($3, u.status_message),
     photo_url = coalesce($4, u.photo_url),
     last_login_at = coalesce($5, u.last_login_at)
   FROM user_settings s
   WHERE u.user_id = $1 AND s.user_id = u.user_id
   RETURNING ${profileColumns}`,
);

const updateSettings = statement(
  "update_settings",
  `UPDATE user_settings s SET
     last_seen = coalesce($2, s.last_seen),
     profile_photo = coalesce($3, s.profile_photo),
     about = coalesce($4, s.about),
     groups = coalesce($5, s.groups),
     read_receipts = coalesce($6, s.read_receipts),
     message_notifications = coalesce($7, s.message_notifications),
     group_notifications = coalesce($8, s.group_notifications),
     call_notifications = coalesce($9, s.call_notifications),
     notification_sound = coalesce($10, s.notification_sound),
     security_notifications = coalesce($11, s.security_notifications)
   FROM users u
   WHERE s.user_id = $1 AND u.user_id = s.user_id
   RETURNING ${profileColumns}`,
);

/** Users.update with a patch that names something. */
export async function updateUser(
  postgres: Postgres,
  userId: Uuid,
  profile: ProfilePatch,
  settings: Partial<UserSettings>,
): Promise<User | undefined> {
  if (Object.keys(settings).length === 0) return writeProfile(postgres, userId, profile);
  if (Object.keys(profile).length === 0) return writeSettings(postgres, userId, settings);
  return postgres.transaction(async (transaction) => {
    await writeSettings(transaction, userId, settings);
    return writeProfile(transaction, userId, profile);
  });
}

async function writeProfile(queries: Queries, userId: Uuid, profile: ProfilePatch): Promise<User | undefined> {
  const { displayName, statusMessage, photoUrl, lastLoginAt } = profile;
  const values = [userId, displayName, statusMessage, photoUrl, lastLoginAt];
  const { rows } = await queries.query<ProfileRow>(updateProfile, values);
  return rows[0] && toUser(rows[0]);
}

async function writeSettings(
  queries: Queries,
  userId: Uuid,
  settings: Partial<UserSettings>,
): Promise<User | undefined> {
  const values = [
    userId,
    settings.lastSeen,
    settings.profilePhoto,
    settings.about,
    settings.groups,
    settings.readReceipts,
    settings.messageNotifications,
    settings.groupNotifications,
    settings.callNotifications,
    settings.notificationSound,
    settings.securityNotifications,
  ];
  const { rows } = await queries.query<ProfileRow>(updateSettings, values);
  return rows[0] && toUser(rows[0]);
}
