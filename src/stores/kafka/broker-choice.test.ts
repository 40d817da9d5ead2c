import { type Connection, kGetBootstrapConnection, NetworkError } from "@platformatic/kafka";
import { expect, test } from "vitest";
import { type Bootstrapped, BrokerChoice } from "./broker-choice.ts";

const brokers = ["a:1", "b:2", "c:3"];

/** As the driver chooses: in the order of the list, turned by the attempt. */
function driver(up: ReadonlySet<string>): { readonly client: Bootstrapped; readonly asked: string[] } {
  const asked: string[] = [];
  const client: Bootstrapped = {
    [kGetBootstrapConnection](callback, attempt = 0) {
      const at = attempt % brokers.length;
      for (const broker of [...brokers.slice(at), ...brokers.slice(0, at)]) {
        asked.push(broker);
        const [host, port] = broker.split(":");
        if (up.has(broker)) return callback(null, { host, port: Number(port) } as Connection);
      }
      callback(new NetworkError("none"), undefined);
    },
  };
  return { client, asked };
}

const ask = (client: Bootstrapped): void => client[kGetBootstrapConnection](() => undefined);

test("whoever answered is asked first from then on, by every client", () => {
  const choice = new BrokerChoice(brokers);
  const [one, other] = [driver(new Set(["b:2", "c:3"])), driver(new Set(["b:2", "c:3"]))];
  for (const { client } of [one, other]) choice.lead(client);
  ask(one.client);
  ask(one.client);
  ask(other.client);
  expect([one.asked, other.asked]).toEqual([["a:1", "b:2", "b:2"], ["b:2"]]);
});

test("one that takes connections and does nothing is passed over, and the list has no end", () => {
  const choice = new BrokerChoice(brokers);
  const { client, asked } = driver(new Set(brokers));
  choice.lead(client);
  for (let turn = 0; turn < 4; turn++) {
    ask(client);
    choice.next();
  }
  expect(asked).toEqual(["a:1", "b:2", "c:3", "a:1"]);
});

test("where none answers the error is passed on", () => {
  const { client } = driver(new Set());
  const errors: unknown[] = [];
  new BrokerChoice(brokers).lead(client)[kGetBootstrapConnection]((error) => void errors.push(error));
  expect(errors).toEqual([expect.any(NetworkError)]);
});
