import type { PageRow } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Change, StoredDevice } from "../machine/types.ts";
import { StoredState } from "./stored-state.ts";
import type { ClientStorage } from "./types.ts";

/** Lives as long as the process: for load, tests and throw-away sessions. Everything is "durable" at once. */
export class MemoryStorage implements ClientStorage {
  readonly #state = new StoredState();

  load(): StoredDevice {
    return this.#state.device();
  }

  write(change: Change): boolean {
    this.#state.apply(change);
    return true;
  }

  onDurable(): void {
    // Nothing is ever pending.
  }

  rows(conversationId: Uuid, limit: number, before?: number): readonly PageRow[] {
    return this.#state.rows(conversationId, limit, before);
  }

  setDraft(conversationId: Uuid, text: string): void {
    this.#state.apply({ draft: { conversationId, text } });
  }

  draft(conversationId: Uuid): string {
    return this.#state.draft(conversationId);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
