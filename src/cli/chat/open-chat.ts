import { setTimeout as pause } from "node:timers/promises";
import path from "node:path";
import type { Invocation } from "../command.ts";
import type { ExitReason } from "../exit-codes.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import type { AccountChoice } from "../accounts/choose-account.ts";
import { explainError } from "../accounts/explain-error.ts";
import { openAccount } from "../accounts/options.ts";
import { AccountApi } from "./account-api.ts";
import { Names } from "./names.ts";
import { Outbox } from "./outbox.ts";

/** What every chat command works with. */
export interface ChatAccount {
  readonly store: AccountStore;
  readonly choice: AccountChoice;
  readonly api: AccountApi;
  readonly names: Names;
  readonly outbox: Outbox;
  /** Of this device; made when something is kept. */
  readonly folder: string;
}

/** Opens the account that the options mean, runs `work`, keeps the names it learnt, explains its failures. */
export async function withChatAccount(
  invocation: Invocation,
  work: (account: ChatAccount) => Promise<ExitReason>,
): Promise<ExitReason> {
  const { store, choice } = await openAccount(invocation);
  try {
    const folder = store.deviceFolder(choice.account);
    const api = new AccountApi(store, choice);
    const names = await Names.open(api, path.join(folder, "names.json"));
    const outbox = new Outbox(path.join(folder, "outbox"));
    try {
      return await work({ store, choice, api, names, outbox, folder });
    } finally {
      await names.save();
    }
  } catch (error) {
    throw explainError(error, choice);
  }
}

/** The signal that ended a command, as its exit. */
export function exitOf(interrupted: AbortSignal): "interrupted" | "terminated" {
  return interrupted.reason === "SIGTERM" ? "terminated" : "interrupted";
}

/** Resolves when the signal is given; keeps the process alive until then, which nothing else might do. */
export async function aborted(signal: AbortSignal): Promise<void> {
  await pause(0x7fff_ffff, undefined, { signal }).catch(() => undefined);
}
