import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoreError } from "../../../src/base/store-error.ts";
import { connectPostgres } from "../../../src/stores/postgres/connect.ts";
import { connectPostgresAdmin } from "../../../src/stores/postgres/connect-admin.ts";
import { eventually } from "../../helpers/eventually.ts";
import { describeOn } from "../../helpers/real-stores.ts";
import { temporaryFolder } from "../../helpers/server-process.ts";
import { ownStack, type OwnStack } from "../../helpers/stack-command.ts";

const startWithinMs = 300_000;

describeOn(["postgres"], "a PostgreSQL that turns connections away", () => {
  const folder = temporaryFolder();
  let stack: OwnStack;
  let url: string;
  let password: string;

  beforeAll(async () => {
    stack = ownStack(path.join(folder.path, "stack"), ["postgres"]);
    await stack.up();
    const { settings } = stack.file();
    url = String(settings["postgres.url"]);
    password = String(settings["postgres.password"]);
  }, startWithinMs);

  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  }, startWithinMs);

  /** What a server and `msgr migrate` hear once the server has read these lines. */
  async function refusalsUnder(lines: string, words: string): Promise<readonly StoreError[]> {
    const file = path.join(stack.directory, "postgres", "data", "pg_hba.conf");
    writeFileSync(file, lines);
    process.kill(stack.file().processes[0]?.pid ?? Number.NaN, "SIGHUP");
    let refusals: readonly unknown[] = [];
    await eventually(async () => {
      const asServer = connectPostgres({ url, password, connectionsMax: 1, timeoutMs: 20_000 });
      const asRunner = connectPostgresAdmin({ url, password, applicationName: "test", timeoutMs: 20_000 });
      refusals = await Promise.all(
        [asServer, asRunner].map((connecting) =>
          // Let in as long as the server has not read the lines.
          connecting.then(
            (connected) => connected.close(),
            (error: unknown) => error,
          ),
        ),
      );
      for (const refusal of refusals) expect(String(refusal)).toContain(words);
    });
    return refusals as readonly StoreError[];
  }

  test("for want of TLS says so, with the setting that brings it", async () => {
    const refusals = await refusalsUnder("hostssl all all all scram-sha-256\n", "no encryption");
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ store: "postgres", kind: "wrong_transport" });
      expect(refusal.message).toContain("without TLS");
      expect(refusal.fix).toContain("?sslmode=require");
    }
  });

  test("in so many words says so as well", async () => {
    const refusals = await refusalsUnder("hostnossl all all all reject\n", "rejects connection");
    for (const refusal of refusals) expect(refusal).toMatchObject({ kind: "wrong_transport" });
  });
});
