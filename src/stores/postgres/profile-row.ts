import type { User, UserSettings } from "../../core/model.ts";
import type { Uuid } from "../../protocol/ids.ts";

/** A profile with its settings, as every statement that reads one answers it. */
export interface ProfileRow {
  readonly user_id: Uuid;
  readonly handle: string;
  readonly display_name: string;
  readonly status_message: string;
  readonly photo_url: string | null;
  readonly created_at: number;
  readonly last_login_at: number;
  readonly settings: UserSettings;
}

/** Of `users AS u` and `user_settings AS s`. The settings come as one JSON object, named as in the model. */
export const profileColumns = `
    u.user_id, u.handle, u.display_name, u.status_message, u.photo_url, u.created_at, u.last_login_at,
    json_build_object(
      'lastSeen', s.last_seen,
      'profilePhoto', s.profile_photo,
      'about', s.about,
      'groups', s.groups,
      'readReceipts', s.read_receipts,
      'messageNotifications', s.message_notifications,
      'groupNotifications', s.group_notifications,
      'callNotifications', s.call_notifications,
      'notificationSound', s.notification_sound,
      'securityNotifications', s.security_notifications
    ) AS settings`;

export function toUser(row: ProfileRow): User {
  return {
    userId: row.user_id,
    handle: row.handle,
    displayName: row.display_name,
    statusMessage: row.status_message,
    ...(row.photo_url === null ? {} : { photoUrl: row.photo_url }),
    createdAt: row.created_at,
    lastLoginAt: row.last_login_at,
    settings: row.settings,
  };
}
