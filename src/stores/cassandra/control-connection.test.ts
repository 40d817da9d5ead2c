import cassandra from "cassandra-driver";
import { expect, test, vi } from "vitest";
import { guardControlConnection } from "./control-connection.ts";

test("a refresh that fails ends nothing, and is tried again until there is a connection", async () => {
  vi.useFakeTimers();
  let calls = 0;
  const control = {
    connection: null as object | null,
    async ["_refresh"]() {
      if (++calls < 3) throw new TypeError("Cannot read properties of null (reading 'endpoint')");
      control.connection = {};
    },
  };
  const errors: unknown[] = [];
  guardControlConnection({ controlConnection: control }, (error) => errors.push(error));
  await control["_refresh"]();
  expect({ calls, errors: errors.length }).toEqual({ calls: 1, errors: 1 });
  await vi.advanceTimersByTimeAsync(60_000);
  expect({ calls, errors: errors.length }).toEqual({ calls: 3, errors: 2 });
  vi.useRealTimers();
});

test("the driver has what is guarded: its own refresh, made to fail as it does, rejects no more", async () => {
  const client = new cassandra.Client({ contactPoints: ["127.0.0.1"], localDataCenter: "x" });
  const control = (client as unknown as { controlConnection: Record<string, unknown> }).controlConnection;
  const errors: unknown[] = [];
  control["_refreshControlConnection"] = async () => (control["connection"] = { endpointFriendlyName: "a" });
  control["_refreshHosts"] = async () => {
    control["connection"] = null;
    throw new Error("Socket was closed");
  };
  const refresh = async (): Promise<void> =>
    (control["_refresh"] as (hosts: unknown) => Promise<void>).call(control, {});
  await expect(refresh()).rejects.toThrow(/null/);
  guardControlConnection(client, (error) => errors.push(error));
  await refresh();
  expect(errors).toHaveLength(1);
  await client.shutdown();
});
