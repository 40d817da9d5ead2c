import { randomUUID } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { systemClock } from "../../base/clock.ts";
import type { Migration } from "../../migrate/migration.ts";
import { openStores, type StoreChoice } from "../../migrate/open-stores.ts";
import { readMigrations } from "../../migrate/read-migrations.ts";
import type { AcquireOptions, Observer, SchemaStore } from "../../migrate/schema-store.ts";
import { migrateLimits } from "../../migrate/settings.ts";
import { parseDuration } from "../chat/duration.ts";
import type { Invocation } from "../command.ts";
import { configError, loadConfig } from "../load-config.ts";
import { explainMigrateError } from "./explain-migrate-error.ts";
import { chosenDirectory, chosenKinds } from "./options.ts";

/** A store with the migrations that it should have. */
export interface Schema {
  readonly store: SchemaStore;
  readonly migrations: readonly Migration[];
}

export interface MigrateSession {
  readonly schemas: readonly Schema[];
  readonly choice: StoreChoice;
  /** How to take a lock, as the options say. */
  readonly acquire: AcquireOptions;
}

/** Opens the stores that the options mean, for as long as `work` runs. Throws CliError. */
export async function withStores<T>(invocation: Invocation, work: (session: MigrateSession) => Promise<T>): Promise<T> {
  const choice = storeChoice(invocation);
  const acquire = acquireOptions(invocation);
  const directory = chosenDirectory(invocation);
  try {
    const migrations = await Promise.all(choice.kinds.map(async (kind) => readMigrations(directory, kind)));
    const stores = await openStores(choice);
    try {
      const schemas = stores.map((store, index) => ({ store, migrations: migrations[index] ?? [] }));
      return await work({ schemas, choice, acquire });
    } finally {
      await Promise.all(stores.map(async (store) => store.close()));
    }
  } catch (error) {
    throw explainMigrateError(error, invocation.interrupted);
  }
}

/** Which stores, by configuration and options. Throws CliError. */
export function storeChoice({ options, environment }: Invocation): StoreChoice {
  const request = {
    flags: [],
    set: (options["set"] ?? []) as string[],
    file: options["config"] as string | undefined,
    dev: undefined,
  };
  const resolved = loadConfig(request, environment);
  if ("problems" in resolved) throw configError(resolved.problems);
  const runner = { name: `${userInfo().username}@${hostname()}/${process.pid}`, clock: systemClock };
  return { settings: resolved.config, runner, nonce: randomUUID(), kinds: chosenKinds({ options }) };
}

export function acquireOptions(invocation: Invocation): AcquireOptions {
  const text = invocation.options["lockTimeout"] as string | undefined;
  return {
    timeoutMs: parseDuration("--lock-timeout", text, migrateLimits.lockTimeoutMs),
    observer: talkingObserver(invocation),
    interrupted: invocation.interrupted,
  };
}

function talkingObserver({ output }: Invocation): Observer {
  return {
    waiting(kind, holder) {
      const since = holder?.since === undefined ? "" : ` since ${holder.since.toISOString()}`;
      const who = holder === undefined ? "another runner" : `${holder.name} (${holder.id})`;
      output.talk(`Waiting for the ${kind} lock: ${who} has it${since}.`);
    },
    statement(migration, index) {
      const { text } = migration.statements[index] ?? { text: "" };
      output.detail(`  ${migration.file} ${index + 1}/${migration.statements.length} ${text.split("\n")[0] ?? ""}`);
    },
    applied(migration, tookMs) {
      const count = migration.statements.length;
      output.talk(`${migration.file}: ${count} statement${count === 1 ? "" : "s"}, ${Math.round(tookMs)} ms`);
    },
  };
}
