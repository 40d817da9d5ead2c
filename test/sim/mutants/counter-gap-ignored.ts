import type { Mutant } from "./mutant.ts";

type Text = [
  header: [version: number, kind: string, from: string, fromEpoch: string, toEpoch: string, counter: number],
];

/**
 * Whatever number a batch or a beacon of another process has, it is taken for the next one: what was lost on a connection
 * that holds is missed by nobody. A cut, a silence and a new epoch are noticed.
 */
export const counterGapIgnored: Mutant = {
  name: "counter-gap-ignored",
  redisClient(client) {
    const heard = new Map<string, number>();
    const renumber = (text: string): string => {
      if (!text.startsWith("[[")) return text;
      const batch = JSON.parse(text) as Text;
      const [, kind, from, fromEpoch, toEpoch] = batch[0];
      if (kind === "notice" || kind === "hello") return text;
      const pair = `${from} ${fromEpoch} ${toEpoch}`;
      const counter = (heard.get(pair) ?? 0) + (kind === "batch" ? 1 : 0);
      heard.set(pair, counter);
      batch[0][5] = counter;
      return JSON.stringify(batch);
    };
    const on = (event: string, handler: (...args: string[]) => void): void => {
      const given = (channel: string, text: string): void => handler(channel, renumber(text));
      client.subscriber.on(event, event === "smessage" ? given : handler);
    };
    return {
      ...client,
      lost: () => client.lost(),
      subscriber: Object.assign(Object.create(client.subscriber), { on }),
    };
  },
};
