import { z } from "zod";
import { deviceField, timeField } from "../../../protocol/fields.ts";
import { limits } from "../../../protocol/limits.ts";
import { WireError } from "../../../protocol/wire-errors.ts";
import type { User } from "../../../core/model.ts";
import {
  nameField,
  ownProfileBody,
  ownProfileToBody,
  settingsBody,
  settingsFromBody,
  settingsToBody,
  visibleText,
} from "../bodies.ts";
import { endpoint } from "../endpoint.ts";

function existing(user: User | undefined): User {
  // The token was good a moment ago, so the account went away in between.
  if (user === undefined) throw new WireError("unauthenticated");
  return user;
}

export const readMe = endpoint(
  { method: "GET", url: "/api/me", summary: "The caller's account", status: 200, answer: ownProfileBody },
  async ({ users }, caller) => ownProfileToBody(existing(await users.byId(caller.userId))),
);

export const updateMe = endpoint(
  {
    method: "PATCH",
    url: "/api/me",
    summary: "Change the caller's profile",
    body: z.strictObject({
      display_name: nameField(limits.displayNameLengthMax).optional(),
      status_message: visibleText(limits.statusMessageLengthMax).optional(),
      /** Empty = none. */
      photo_url: z
        .union([
          z.literal(""),
          z
            .url({ protocol: /^https?$/ })
            .max(limits.photoUrlLengthMax)
            .regex(/^\P{Cc}*$/u),
        ])
        .optional(),
    }),
    status: 200,
    answer: ownProfileBody,
  },
  async ({ users }, caller, { body }) => {
    const patch = {
      ...(body.display_name === undefined ? {} : { displayName: body.display_name }),
      ...(body.status_message === undefined ? {} : { statusMessage: body.status_message }),
      ...(body.photo_url === undefined ? {} : { photoUrl: body.photo_url }),
    };
    return ownProfileToBody(existing(await users.update(caller.userId, patch, {})));
  },
);

export const readSettings = endpoint(
  {
    method: "GET",
    url: "/api/me/settings",
    summary: "Privacy and notification settings",
    status: 200,
    answer: settingsBody,
  },
  async ({ users }, caller) => settingsToBody(existing(await users.byId(caller.userId)).settings),
);

export const updateSettings = endpoint(
  {
    method: "PATCH",
    url: "/api/me/settings",
    summary: "Change some settings",
    body: settingsBody.partial(),
    status: 200,
    answer: settingsBody,
  },
  async ({ users, bus, presenceChanged }, caller, { body }) => {
    const { settings } = existing(await users.update(caller.userId, {}, settingsFromBody(body)));
    if (body.last_seen !== undefined) presenceChanged(caller.userId);
    // Else receipts that this process does not see may be shared, or kept, for another minute.
    const isTold = await bus.announce({ notice: "settings_changed", userId: caller.userId });
    if (!isTold) throw new WireError("store_unavailable", { detail: "Other processes may not know of it: ask again." });
    return settingsToBody(settings);
  },
);

export const readDevices = endpoint(
  {
    method: "GET",
    url: "/api/devices",
    summary: "The caller's devices",
    status: 200,
    answer: z.object({
      devices: z.array(
        z.object({ device: deviceField, name: z.string(), created_at: timeField, last_seen_at: timeField }),
      ),
    }),
  },
  async ({ accounts }, caller) => ({
    devices: (await accounts.devices(caller.userId)).map((device) => ({
      device: device.device,
      name: device.name,
      created_at: device.createdAt,
      last_seen_at: device.lastSeenAt,
    })),
  }),
);

export const deleteDevice = endpoint(
  {
    method: "DELETE",
    url: "/api/devices/:device",
    summary: "Remove a device: its tokens and its connection end",
    params: z.object({
      device: z
        .string()
        .regex(/^\d{1,10}$/, "not a number")
        .transform(Number)
        .pipe(deviceField),
    }),
    status: 204,
  },
  async ({ accounts }, caller, { params }) => {
    await accounts.removeDevice(caller.userId, params.device);
    return undefined;
  },
);
