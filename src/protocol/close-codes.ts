/**
 * Why a connection ends. 4000–4499: connect again (with backoff); 4500–4999: do not, something must change first.
 * docs/protocol.md prints this table; a test proves them equal.
 */
export interface CloseCodeEntry {
  readonly code: number;
  readonly reason: string;
  readonly fix: string;
}

export const closeCodes = {
  drain: {
    code: 4000,
    reason: "The server is shutting down.",
    fix: "Connect again; another or the restarted server answers.",
  },
  slow: { code: 4001, reason: "The client did not read fast enough.", fix: "Connect again and sync; nothing is lost." },
  resync: { code: 4002, reason: "Pushes may have been lost.", fix: "Connect again and sync." },
  silent: {
    code: 4003,
    reason: "No heartbeat arrived in time.",
    fix: "Send HEARTBEAT every heartbeat_ms; connect again.",
  },
  hello_timeout: {
    code: 4004,
    reason: "No HELLO arrived in time.",
    fix: "Send HELLO as the first frame; connect again.",
  },
  overloaded: { code: 4005, reason: "The server has no room for this connection.", fix: "Connect again later." },
  internal: { code: 4006, reason: "The server failed unexpectedly.", fix: "Connect again." },
  flood: {
    code: 4007,
    reason: "The client sent far more than its limits allow.",
    fix: "Respect retry_after_ms; connect again later.",
  },
  bad_frame: { code: 4500, reason: "A frame was not valid JSON text of this protocol.", fix: "Repair the client." },
  unauthenticated: {
    code: 4501,
    reason: "The token is no longer valid.",
    fix: "Refresh the token or log in, then connect.",
  },
  device_removed: { code: 4502, reason: "The device was removed from the account.", fix: "Log in again." },
  client_too_old: {
    code: 4503,
    reason: "The server no longer speaks this client's protocol.",
    fix: "Update the client.",
  },
  replaced: {
    code: 4504,
    reason: "Another connection of the same device took over.",
    fix: "Use one connection a device.",
  },
  frame_too_large: { code: 4505, reason: "A frame exceeded its size limit.", fix: "Respect the limits of WELCOME." },
  device_mismatch: {
    code: 4506,
    reason: "HELLO names another device than the token.",
    fix: "Use the token of this device.",
  },
} as const satisfies Record<string, CloseCodeEntry>;

export type CloseReason = keyof typeof closeCodes;

/** Whether a client should connect again by itself. Codes outside both ranges (1000–3999) are network ends: connect again. */
export function mayReconnect(code: number): boolean {
  return code < 4500 || code > 4999;
}
