import { z } from "zod";
import { timeField, uuidField, watermarkField } from "../../protocol/fields.ts";
import type { Group, User, UserSettings } from "../../core/model.ts";
import type { VisibleProfile } from "../../core/api.ts";

/** JSON shapes that several operations share, and the mapping from the core's words to the wire's. */
const audience = z.enum(["everyone", "contacts", "nobody"]);

export const settingsBody = z.strictObject({
  last_seen: audience,
  profile_photo: audience,
  about: audience,
  groups: audience,
  read_receipts: z.boolean(),
  message_notifications: z.boolean(),
  group_notifications: z.boolean(),
  call_notifications: z.boolean(),
  notification_sound: visibleText(64),
  security_notifications: z.boolean(),
});
export type SettingsBody = z.infer<typeof settingsBody>;

export const settingNames = {
  last_seen: "lastSeen",
  profile_photo: "profilePhoto",
  about: "about",
  groups: "groups",
  read_receipts: "readReceipts",
  message_notifications: "messageNotifications",
  group_notifications: "groupNotifications",
  call_notifications: "callNotifications",
  notification_sound: "notificationSound",
  security_notifications: "securityNotifications",
} as const satisfies Record<keyof SettingsBody, keyof UserSettings>;

export function settingsToBody(settings: UserSettings): SettingsBody {
  return Object.fromEntries(Object.entries(settingNames).map(([body, name]) => [body, settings[name]])) as SettingsBody;
}

export function settingsFromBody(body: {
  readonly [K in keyof SettingsBody]?: SettingsBody[K] | undefined;
}): Partial<UserSettings> {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [settingNames[name as keyof SettingsBody], value]),
  );
}

export const ownProfileBody = z.object({
  user_id: uuidField,
  handle: z.string(),
  display_name: z.string(),
  status_message: z.string(),
  photo_url: z.string().optional(),
  created_at: timeField,
  last_login_at: timeField,
  settings: settingsBody,
});

export function ownProfileToBody(user: User): z.infer<typeof ownProfileBody> {
  return {
    user_id: user.userId,
    handle: user.handle,
    display_name: user.displayName,
    status_message: user.statusMessage,
    ...photoOf(user),
    created_at: user.createdAt,
    last_login_at: user.lastLoginAt,
    settings: settingsToBody(user.settings),
  };
}

/** An empty one is kept by who removed it. */
function photoOf({ photoUrl }: { readonly photoUrl?: string }): { readonly photo_url?: string } {
  return photoUrl === undefined || photoUrl === "" ? {} : { photo_url: photoUrl };
}

export const profileBody = z.object({
  user_id: uuidField,
  handle: z.string(),
  display_name: z.string(),
  status_message: z.string().optional(),
  photo_url: z.string().optional(),
});

export function profileToBody(profile: VisibleProfile): z.infer<typeof profileBody> {
  return {
    user_id: profile.userId,
    handle: profile.handle,
    display_name: profile.displayName,
    ...(profile.statusMessage === undefined ? {} : { status_message: profile.statusMessage }),
    ...photoOf(profile),
  };
}

/** A name of somebody or something: visible text that is not empty. */
export function nameField(lengthMax: number): z.ZodType<string, string> {
  return visibleText(lengthMax).refine((name) => name.length > 0, "empty");
}

export const roleField = z.enum(["owner", "admin", "member"]);

export const groupBody = z.object({
  group_id: uuidField,
  name: z.string(),
  creator_id: uuidField,
  created_at: timeField,
  /** Version of the member set and the name; what `expected_version` compares with. */
  membership: watermarkField,
  members: z.array(z.object({ user_id: uuidField, role: roleField, joined_seq: watermarkField })),
});

export function groupToBody(group: Group): z.infer<typeof groupBody> {
  return {
    group_id: group.groupId,
    name: group.name,
    creator_id: group.creatorId,
    created_at: group.createdAt,
    membership: group.membership,
    members: group.members.map((member) => ({
      user_id: member.userId,
      role: member.role,
      joined_seq: member.joinedSeq,
    })),
  };
}

/** Text that people see: no control characters, no surrounding space; may be empty. */
export function visibleText(lengthMax: number): z.ZodType<string, string> {
  return z
    .string()
    .max(lengthMax)
    .refine((text) => text.trim() === text, "no space at either end")
    .refine((text) => !/[\p{Cc}\u2028\u2029]/u.test(text), "no control characters");
}

/** Bounded by the size of a body; the core names the limit of a group. */
export const userIdsField = z.array(uuidField).min(1);
export const idParams = z.object({ id: uuidField });
/** Numbers in a query string. */
export const queryNumber = (schema: z.ZodType<number, number>): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d{1,16}$/, "not a number")
    .transform(Number)
    .pipe(schema);
