import { mergeListRow } from "../../../src/core/lists/merge-list-row.ts";
import type { ListRow, ListWrite } from "../../../src/core/model.ts";
import type { ConversationLists } from "../../../src/core/ports/conversation-lists.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import { fairWeather, under, type Weather } from "./weather.ts";

export class MemoryLists implements ConversationLists {
  weather: Weather;
  readonly #rows = new Map<Uuid, Map<Uuid, ListRow>>();

  constructor(weather: Weather = fairWeather()) {
    this.weather = weather;
  }

  all(userId: Uuid): Promise<readonly ListRow[]> {
    return under(this.weather, "lists.all", () => this.rowsOf(userId));
  }

  one(userId: Uuid, conversationId: Uuid): Promise<ListRow | undefined> {
    return under(this.weather, "lists.one", () => this.rowOf(userId, conversationId));
  }

  write(writes: readonly ListWrite[]): Promise<void> {
    return under(this.weather, "lists.write", () => this.apply(writes));
  }

  /** At once and without weather: for the log, which writes list rows together with an append, and for checkers. */
  apply(writes: readonly ListWrite[]): void {
    for (const write of writes) {
      let rows = this.#rows.get(write.userId);
      if (rows === undefined) this.#rows.set(write.userId, (rows = new Map()));
      const merged = mergeListRow(rows.get(write.conversationId), write);
      if (merged !== undefined) rows.set(write.conversationId, merged);
    }
  }

  rowsOf(userId: Uuid): ListRow[] {
    return [...(this.#rows.get(userId)?.values() ?? [])];
  }

  rowOf(userId: Uuid, conversationId: Uuid): ListRow | undefined {
    return this.#rows.get(userId)?.get(conversationId);
  }
}
