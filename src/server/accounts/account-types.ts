import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { Bus } from "../../core/ports/bus.ts";
import type { RateLimits, RateRule } from "../../core/ports/rate-limits.ts";
import type { Sessions } from "../../core/ports/sessions.ts";
import type { Users } from "../../core/ports/users.ts";
import type { Device, User } from "../../core/model.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Passwords } from "./passwords.ts";

/** What the operations on accounts work with. */
export interface AccountDeps {
  readonly users: Users;
  readonly sessions: Sessions;
  readonly rateLimits: RateLimits;
  readonly bus: Pick<Bus, "announce">;
  readonly clock: Clock;
  /** Makes ids and tokens: must be cryptographic outside of tests. */
  readonly random: Random;
  readonly passwords: Passwords;
  /** Undefined = not limited. */
  readonly rules: {
    /** For each pair of handle and address, whether or not the handle exists. */
    readonly login: RateRule | undefined;
    /** For each address: logins over all handles. */
    readonly loginAddress: RateRule | undefined;
    /** For each address. */
    readonly register: RateRule | undefined;
  };
  /** Default: limits.ts. */
  readonly accessTokenTtlMs?: number;
  readonly refreshTokenTtlMs?: number;
}

/** The pair of tokens of one session. Told once; the stores know their hashes only. Times in ms since the epoch. */
export interface IssuedTokens {
  readonly accessToken: string;
  readonly accessExpiresAt: number;
  readonly refreshToken: string;
  readonly refreshExpiresAt: number;
}

export interface OpenedSession {
  readonly user: User;
  readonly device: number;
  readonly tokens: IssuedTokens;
}

export interface RefreshedSession {
  readonly userId: Uuid;
  readonly device: number;
  readonly tokens: IssuedTokens;
}

/** Whose token it is. */
export interface TokenHolder {
  readonly userId: Uuid;
  readonly device: number;
  readonly familyId: Uuid;
  readonly accessExpiresAt: number;
}

export interface Registration {
  readonly handle: string;
  readonly displayName: string;
  readonly password: string;
  readonly deviceName: string;
  readonly statusMessage?: string;
  readonly photoUrl?: string;
  /** Of the peer, for rate limits only. */
  readonly address: string;
}

export interface Login {
  readonly handle: string;
  readonly password: string;
  /** An existing device of the account; undefined makes a new one. */
  readonly device: number | undefined;
  readonly deviceName: string;
  readonly address: string;
}

/** Accounts and their sessions. Every operation rejects with WireError for what its caller or a store did wrong. */
export interface Accounts {
  /**
   * Makes the account, its first device and a session on it. Lengths and the shape of the handle were checked by the
   * caller (protocol/fields.ts). Errors: handle_taken, rate_limited, overloaded.
   */
  register(registration: Registration): Promise<OpenedSession>;
  /**
   * Errors: wrong_password (also for a handle nobody has, after the same work), too_many_devices, no_such_device,
   * rate_limited, overloaded.
   */
  login(login: Login): Promise<OpenedSession>;
  /** Next pair of the session; the old pair is dead. Errors: unauthenticated, token_reused (the whole session is closed). */
  refresh(refreshToken: string): Promise<RefreshedSession>;
  /** Ends the session of the device (which stays on the account), or of every device. Idempotent. */
  logout(holder: Pick<TokenHolder, "userId" | "device">, scope: "device" | "all"): Promise<void>;
  /** Live devices, ascending number. */
  devices(userId: Uuid): Promise<readonly Device[]>;
  /** Ends the sessions of the device and removes it from the account. Errors: no_such_device. */
  removeDevice(userId: Uuid, device: number): Promise<void>;
  /** Whose access token this is; undefined when it is malformed, unknown, expired or revoked. */
  authenticate(accessToken: string): Promise<TokenHolder | undefined>;
}
