/** Requests in flight for one command: enough to hide the round trip, too few to meet a limit. */
const atOnceMax = 8;

/** Calls `work` for every item, several at a time; rejects with the first failure. */
export async function forEachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const workers = Array.from({ length: Math.min(atOnceMax, items.length) }, async () => {
    for (const item of queue) await work(item);
  });
  await Promise.all(workers);
}
