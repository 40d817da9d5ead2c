import type { Uuid } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { AccountDeps } from "./account-types.ts";

/** See Accounts.removeDevice. */
export async function removeDevice(
  deps: Pick<AccountDeps, "sessions" | "bus">,
  userId: Uuid,
  device: number,
): Promise<void> {
  const devices = await deps.sessions.revoke(userId, { device, remove: true });
  if (devices.length === 0) throw new WireError("no_such_device");
  void deps.bus.announce({ notice: "sessions_revoked", userId, devices });
}
