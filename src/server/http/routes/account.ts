import { z } from "zod";
import { deviceField, handleField, timeField, uuidField } from "../../../protocol/fields.ts";
import { limits } from "../../../protocol/limits.ts";
import { WireError } from "../../../protocol/wire-errors.ts";
import type { Uuid } from "../../../protocol/ids.ts";
import type { IssuedTokens } from "../../accounts/account-types.ts";
import { nameField, visibleText } from "../bodies.ts";
import { endpoint, publicEndpoint } from "../endpoint.ts";

const loginBody = z.object({
  user_id: uuidField,
  handle: z.string(),
  device: deviceField,
  access_token: z.string(),
  access_expires_at: timeField,
  refresh_token: z.string(),
  refresh_expires_at: timeField,
});

function loginToBody(
  user: { readonly userId: Uuid; readonly handle: string },
  device: number,
  tokens: IssuedTokens,
): z.infer<typeof loginBody> {
  return {
    user_id: user.userId,
    handle: user.handle,
    device,
    access_token: tokens.accessToken,
    access_expires_at: tokens.accessExpiresAt,
    refresh_token: tokens.refreshToken,
    refresh_expires_at: tokens.refreshExpiresAt,
  };
}

const deviceNameField = visibleText(limits.deviceNameLengthMax).default("");
const displayNameField = nameField(limits.displayNameLengthMax);
/** Only the upper bound at login: what is too short was never set, and is answered as any wrong password. */
const anyPassword = z.string().max(limits.passwordLengthMax);

export const register = publicEndpoint(
  {
    method: "POST",
    url: "/api/register",
    summary: "Make an account and log its first device in",
    body: z.object({
      handle: handleField,
      password: anyPassword.min(limits.passwordLengthMin),
      display_name: displayNameField.optional(),
      device_name: deviceNameField,
    }),
    status: 201,
    answer: loginBody,
  },
  async ({ accounts }, _caller, { body, address }) => {
    const opened = await accounts.register({
      handle: body.handle,
      displayName: body.display_name ?? body.handle,
      password: body.password,
      deviceName: body.device_name,
      address,
    });
    return loginToBody(opened.user, opened.device, opened.tokens);
  },
);

export const login = publicEndpoint(
  {
    method: "POST",
    url: "/api/login",
    summary: "Log a device in: one of the account's, or a new one",
    body: z.object({
      handle: z.string().max(limits.handleLengthMax),
      password: anyPassword,
      device: deviceField.optional(),
      device_name: deviceNameField,
    }),
    status: 200,
    answer: loginBody,
  },
  async ({ accounts }, _caller, { body, address }) => {
    const opened = await accounts.login({
      handle: body.handle,
      password: body.password,
      device: body.device,
      deviceName: body.device_name,
      address,
    });
    return loginToBody(opened.user, opened.device, opened.tokens);
  },
);

export const refresh = publicEndpoint(
  {
    method: "POST",
    url: "/api/refresh",
    summary: "Exchange a refresh token for the next pair of tokens",
    body: z.object({ refresh_token: z.string().max(256) }),
    status: 200,
    answer: loginBody,
  },
  async ({ accounts, users }, _caller, { body }) => {
    const { userId, device, tokens } = await accounts.refresh(body.refresh_token);
    // The old token is used up: whoever is refused from here on has lost the session.
    const user = await users.byId(userId);
    if (user === undefined) throw new WireError("unauthenticated");
    return loginToBody(user, device, tokens);
  },
);

export const logout = endpoint(
  {
    method: "POST",
    url: "/api/logout",
    summary: "End the session of this device, or of every device",
    body: z.object({ scope: z.enum(["device", "all"]).default("device") }),
    status: 204,
  },
  async ({ accounts }, caller, { body }) => {
    await accounts.logout(caller, body.scope);
    return undefined;
  },
);
