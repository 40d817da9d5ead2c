import { z } from "zod";
import { deviceField, timeField, uuidField } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { parseAnswer } from "./answer.ts";
import { requestJson, type HttpOptions } from "./http.ts";

/** What a device is logged in with. The refresh token works once: keep what the newest answer brought. */
export interface Session {
  readonly userId: Uuid;
  readonly device: number;
  readonly accessToken: string;
  /** Wall time, ms. */
  readonly accessExpiresAt: number;
  /** Absent for tokens that an operator minted: then the session ends with its access token. */
  readonly refreshToken: string | undefined;
}

const sessionBody = z.object({
  user_id: uuidField,
  device: deviceField,
  access_token: z.string().min(1),
  access_expires_at: timeField,
  refresh_token: z.string().min(1),
});

export interface NewAccount {
  readonly handle: string;
  readonly password: string;
  readonly displayName: string;
  readonly deviceName: string;
}

export interface Credentials {
  readonly handle: string;
  readonly password: string;
  /** An earlier device of the account; absent = a new one. */
  readonly device?: number;
  readonly deviceName: string;
}

/** Rejects with ApiError: handle_taken, bad_request, rate_limited, … */
export async function registerAccount(http: HttpOptions, account: NewAccount): Promise<Session> {
  const body = {
    handle: account.handle,
    password: account.password,
    display_name: account.displayName,
    device_name: account.deviceName,
  };
  return toSession(await requestJson(http, { method: "POST", path: "/api/register", body }));
}

/** Rejects with ApiError: wrong_password, too_many_devices, no_such_device, rate_limited, … */
export async function logIn(http: HttpOptions, credentials: Credentials): Promise<Session> {
  const body = {
    handle: credentials.handle,
    password: credentials.password,
    device_name: credentials.deviceName,
    ...(credentials.device === undefined ? {} : { device: credentials.device }),
  };
  return toSession(await requestJson(http, { method: "POST", path: "/api/login", body }));
}

/** Rejects with ApiError: token_reused, unauthenticated (log in again), or something temporary. */
export async function refreshSession(http: HttpOptions, refreshToken: string): Promise<Session> {
  const body = { refresh_token: refreshToken };
  return toSession(await requestJson(http, { method: "POST", path: "/api/refresh", body }));
}

/** Ends the session of this device, or of all devices of the account. */
export async function logOut(http: HttpOptions, accessToken: string, scope: "device" | "all"): Promise<void> {
  await requestJson(http, { method: "POST", path: "/api/logout", body: { scope }, accessToken });
}

function toSession(answer: unknown): Session {
  const body = parseAnswer(sessionBody, answer);
  return {
    userId: body.user_id,
    device: body.device,
    accessToken: body.access_token,
    accessExpiresAt: body.access_expires_at,
    refreshToken: body.refresh_token,
  };
}
