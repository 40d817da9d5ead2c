import { assert } from "../../base/assert.ts";
import { createUuidV7, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { AccountDeps } from "./account-types.ts";
import { openSession } from "./open-session.ts";

export interface BulkUser {
  readonly handle: string;
  readonly displayName: string;
  /** How many devices to log in, 1–devicesPerUserMax. */
  readonly devices: number;
}

/** One logged-in device of a user made in bulk. */
export interface BulkDevice {
  readonly userId: Uuid;
  readonly handle: string;
  readonly device: number;
  readonly accessToken: string;
}

type BulkDeps = Pick<AccountDeps, "users" | "sessions" | "clock" | "random" | "accessTokenTtlMs" | "refreshTokenTtlMs">;

/** Sessions opened at once: enough to fill the store's group commits, few enough to leave room for others. */
const sessionsAtOnceMax = 1_024;

/**
 * Makes 1–bulkUsersMax accounts without a password and logs their devices in, for the load harness and for imports: such
 * an account is reached by its tokens only, so no hash is spent. All accounts or none; answers one entry a device, users
 * in the order given. Errors: handle_taken (also for a handle given twice).
 */
export async function createUsersInBulk(deps: BulkDeps, users: readonly BulkUser[]): Promise<readonly BulkDevice[]> {
  assert(users.length >= 1 && users.length <= limits.bulkUsersMax, `${users.length} users in bulk`);
  const at = deps.clock.nowMs();
  const created = users.map((user) => ({ ...user, userId: createUuidV7(at, deps.random) }));
  const taken = await deps.users.create(
    created.map(({ userId, handle, displayName }) => ({ userId, handle, displayName, createdAt: at })),
  );
  if (taken.length > 0) {
    const others = taken.length > 1 ? ` and ${taken.length - 1} more` : "";
    throw new WireError("handle_taken", { detail: `Taken: ${taken[0]}${others}. Nothing was made.` });
  }
  const wanted = created.flatMap((user) => Array.from({ length: user.devices }, () => user));
  const opened: BulkDevice[] = [];
  for (let start = 0; start < wanted.length; start += sessionsAtOnceMax) {
    const batch = wanted
      .slice(start, start + sessionsAtOnceMax)
      .map(async ({ userId, handle }): Promise<BulkDevice> => {
        const { device, tokens } = await openSession(deps, userId, { number: undefined, name: "" }, at);
        return { userId, handle, device, accessToken: tokens.accessToken };
      });
    opened.push(...(await Promise.all(batch)));
  }
  return opened;
}
