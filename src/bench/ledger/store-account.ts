import { FaultList, type FaultReport } from "./faults.ts";
import type { LedgerVerdict } from "./account.ts";

/** What a worker on the stores did and found when it read it back; numbers of operations, not of attempts. */
export interface StoreAccount {
  /** Writes that were begun, and how they ended. */
  readonly sent: number;
  readonly acked: number;
  readonly refused: number;
  /** The store gave no answer; it may have happened. */
  readonly undecided: number;
  readonly undecidedInLog: number;
  readonly logRows: number;
  readonly conversationsScanned: number;
  readonly conversationsUnscanned: number;
  /** Answers about users who had to be online. */
  readonly presenceChecked: number;
  readonly faults: FaultReport;
}

type Counted = Exclude<keyof StoreAccount, "faults">;

/** The accounts of all workers as the verdict of the run. */
export function closeStoreAccounts(accounts: readonly StoreAccount[]): LedgerVerdict {
  const faults = new FaultList();
  for (const account of accounts) faults.merge(account.faults);
  const total = (name: Counted): number => accounts.reduce((sum, account) => sum + account[name], 0);
  return {
    ok: faults.total() === 0,
    sent: total("sent"),
    acked: total("acked"),
    refused: total("refused"),
    undecided: total("undecided"),
    undecidedInLog: total("undecidedInLog"),
    logRows: total("logRows"),
    delivered: 0,
    read: 0,
    conversationsScanned: total("conversationsScanned"),
    conversationsUnscanned: total("conversationsUnscanned"),
    devicesAbsent: 0,
    presenceChecked: total("presenceChecked"),
    faults: faults.report(),
  };
}
