import type { AccountDeps, TokenHolder } from "./account-types.ts";

/** See Accounts.logout. */
export async function logout(
  deps: Pick<AccountDeps, "sessions" | "bus">,
  holder: Pick<TokenHolder, "userId" | "device">,
  scope: "device" | "all",
): Promise<void> {
  const devices = await deps.sessions.revoke(
    holder.userId,
    scope === "all" ? "all" : { device: holder.device, remove: false },
  );
  if (devices.length > 0) void deps.bus.announce({ notice: "sessions_revoked", userId: holder.userId, devices });
}
