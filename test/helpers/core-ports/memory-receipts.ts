import { mergeReceipt } from "../../../src/core/receipts/merge-receipt.ts";
import type { ReceiptRow } from "../../../src/core/model.ts";
import type { Receipts, ReceiptWrite } from "../../../src/core/ports/receipts.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import { fairWeather, under, type Weather } from "./weather.ts";

export class MemoryReceipts implements Receipts {
  weather: Weather;
  readonly #rows = new Map<Uuid, Map<Uuid, ReceiptRow>>();

  constructor(weather: Weather = fairWeather()) {
    this.weather = weather;
  }

  write(writes: readonly ReceiptWrite[]): Promise<void> {
    return under(this.weather, "receipts.write", () => this.apply(writes));
  }

  /** At once and without weather: for the log, which writes receipts together with an append. */
  apply(writes: readonly ReceiptWrite[]): void {
    for (const write of writes) {
      const rows = this.#rows.get(write.conversationId) ?? new Map<Uuid, ReceiptRow>();
      this.#rows.set(write.conversationId, rows.set(write.userId, mergeReceipt(rows.get(write.userId), write)));
    }
  }

  all(conversationId: Uuid): Promise<readonly ReceiptRow[]> {
    return under(this.weather, "receipts.all", () => [...(this.#rows.get(conversationId)?.values() ?? [])]);
  }

  one(conversationId: Uuid, userId: Uuid): Promise<ReceiptRow | undefined> {
    return under(this.weather, "receipts.one", () => this.#rows.get(conversationId)?.get(userId));
  }
}
