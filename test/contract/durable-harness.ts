import { createSystemRandom } from "../../src/base/random.ts";
import { createUuidV7, type Uuid } from "../../src/protocol/ids.ts";

/** A durable store under test, on data of its own, which starts empty. */
export interface DurableHarness<Store> extends AsyncDisposable {
  readonly store: Store;
  /** Lets go of everything in memory and opens the same data again, as the next process would; `store` is dead then. */
  reopen(): Promise<Store>;
}

export type MakeDurableHarness<Store> = () => Promise<DurableHarness<Store>>;

const random = createSystemRandom();

/** A fresh id, so that suites may share one database. */
export function newId(): Uuid {
  return createUuidV7(1_700_000_000_000, random);
}
