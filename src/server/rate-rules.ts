import type { RateRule } from "../core/ports/rate-limits.ts";

/**
 * How often one subject may do what: `burst` at once, then one every `intervalMs`. Undefined = not limited.
 * docs/protocol.md names the ones that clients meet.
 */
export interface RateRules {
  /** Messages of one user, frames and HTTP together. */
  readonly send: RateRule | undefined;
  /** Frames of any type of one connection. */
  readonly frame: RateRule | undefined;
  /** SYNC, RANGE, HISTORY and RECEIPTS of one user, and their HTTP twins. */
  readonly read: RateRule | undefined;
  readonly typing: RateRule | undefined;
  /** HTTP requests of one user that no other rule counts. */
  readonly request: RateRule | undefined;
  /** WATCH of one user, and its HTTP twin. */
  readonly watch: RateRule | undefined;
  /** Logins for each pair of handle and address. */
  readonly login: RateRule | undefined;
  /** Logins from one address. */
  readonly loginAddress: RateRule | undefined;
  /** Accounts made from one address. */
  readonly register: RateRule | undefined;
  /** Groups made by one user. */
  readonly groupCreate: RateRule | undefined;
  /** Uploads of media that one user begins or commits. */
  readonly media: RateRule | undefined;
  /** Connections opened from one address. */
  readonly upgrade: RateRule | undefined;
}

export const ratePresetNames = ["default", "bench", "off"] as const;
export type RatePreset = (typeof ratePresetNames)[number];

const minuteMs = 60_000;

const unlimited: RateRules = {
  send: undefined,
  frame: undefined,
  read: undefined,
  typing: undefined,
  request: undefined,
  watch: undefined,
  login: undefined,
  loginAddress: undefined,
  register: undefined,
  groupCreate: undefined,
  media: undefined,
  upgrade: undefined,
};

const standard: RateRules = {
  send: { burst: 60, intervalMs: 100 },
  frame: { burst: 1_000, intervalMs: 5 },
  read: { burst: 200, intervalMs: 50 },
  typing: { burst: 10, intervalMs: 500 },
  request: { burst: 100, intervalMs: 100 },
  watch: { burst: 30, intervalMs: 1_000 },
  login: { burst: 5, intervalMs: minuteMs },
  loginAddress: { burst: 60, intervalMs: 1_000 },
  register: { burst: 10, intervalMs: minuteMs },
  groupCreate: { burst: 10, intervalMs: minuteMs },
  media: { burst: 60, intervalMs: 2_000 },
  upgrade: { burst: 300, intervalMs: 50 },
};

/** `bench` lifts what a load generator must not meet and keeps what guards passwords; `off` lifts everything. */
export const ratePresets: Readonly<Record<RatePreset, RateRules>> = {
  default: standard,
  bench: { ...unlimited, login: standard.login, loginAddress: standard.loginAddress, register: standard.register },
  off: unlimited,
};
