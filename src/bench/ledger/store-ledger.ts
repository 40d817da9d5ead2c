import { FaultList } from "./faults.ts";
import type { StoreAccount } from "./store-account.ts";

/** The account of one worker on the stores while it is written. */
export class StoreLedger {
  readonly faults = new FaultList();
  sent = 0;
  acked = 0;
  refused = 0;
  undecided = 0;
  undecidedInLog = 0;
  logRows = 0;
  conversationsScanned = 0;
  conversationsUnscanned = 0;
  presenceChecked = 0;

  account(): StoreAccount {
    const { sent, acked, refused, undecided, undecidedInLog, logRows, presenceChecked } = this;
    const { conversationsScanned, conversationsUnscanned, faults } = this;
    return {
      sent,
      acked,
      refused,
      undecided,
      undecidedInLog,
      logRows,
      conversationsScanned,
      conversationsUnscanned,
      presenceChecked,
      faults: faults.report(),
    };
  }
}
