import type { Uuid } from "../../protocol/ids.ts";
import type { Device, Session } from "../model.ts";

export type LoginOutcome =
  | { readonly outcome: "opened"; readonly device: number }
  | { readonly outcome: "too_many_devices" }
  | { readonly outcome: "no_such_device" };

export type RotateOutcome =
  | { readonly outcome: "rotated"; readonly session: Session }
  /** The hash is one that this family used before: the whole family is revoked now. */
  | { readonly outcome: "reused"; readonly userId: Uuid; readonly device: number }
  /** Never there, of a family that was revoked, or expired at `at`. */
  | { readonly outcome: "unknown" };

/** Devices and sessions. Tokens are stored as SHA-256 only. Errors: WireError `store_unavailable`, `storage_full`. */
export interface Sessions {
  /**
   * One transaction: names an existing device of the user (`device`) or makes the next one (undefined, at most
   * devicesPerUserMax live ones), and opens the session family on it. Sessions of the device that were open end.
   */
  open(login: {
    readonly userId: Uuid;
    readonly device: number | undefined;
    readonly deviceName: string;
    readonly at: number;
    readonly session: Omit<Session, "device">;
  }): Promise<LoginOutcome>;
  /** Session that the access token opens, expired or not; undefined if revoked, rotated away or never there. */
  byAccess(accessHash: Uint8Array): Promise<Session | undefined>;
  /**
   * Next version of the family whose current refresh hash is `refreshHash`; its device was seen at `at`. Of concurrent
   * calls with one hash exactly one rotates. At least the latest refreshHashesKeptMax used hashes are recognised.
   */
  rotate(
    refreshHash: Uint8Array,
    next: Pick<Session, "refreshHash" | "accessHash" | "accessExpiresAt" | "refreshExpiresAt">,
    at: number,
  ): Promise<RotateOutcome>;
  devices(userId: Uuid): Promise<readonly Device[]>;
  /** Ends every session of one device (and removes it from the account), or of all devices but keeps them. Answers the devices affected. */
  revoke(
    userId: Uuid,
    scope: { readonly device: number; readonly remove: boolean } | "all",
  ): Promise<readonly number[]>;
  /** Of the given families, those that are still open: nodes recheck their connections with it once a second. */
  alive(familyIds: readonly Uuid[]): Promise<ReadonlySet<Uuid>>;
}
