import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../src/stores/lmdb/environment.ts";
import { openEnvironment, type EnvironmentOptions } from "../../src/stores/lmdb/open-environment.ts";
import type { DurableHarness, MakeDurableHarness } from "./durable-harness.ts";

/** An environment in a folder of its own, which goes when it is disposed of. */
export async function openTestEnvironment(): Promise<{ readonly open: Environment } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "msgr-lmdb-"));
  const open = await openEnvironment(folder);
  return {
    open,
    async [Symbol.asyncDispose]() {
      await open.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Harnesses of a store that lives in an environment. */
export function lmdbHarness<Store>(
  create: (environment: Environment) => Store,
  options: EnvironmentOptions = {},
): MakeDurableHarness<Store> {
  return async (): Promise<DurableHarness<Store>> => {
    const folder = await mkdtemp(join(tmpdir(), "msgr-lmdb-"));
    let environment = await openEnvironment(folder, options);
    return {
      store: create(environment),
      async reopen() {
        await environment.close();
        environment = await openEnvironment(folder, options);
        return create(environment);
      },
      async [Symbol.asyncDispose]() {
        await environment.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  };
}
