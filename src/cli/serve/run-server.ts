import type { Logger } from "../../base/logger.ts";
import type { NodeAddresses, NodeStart } from "../../server/node.ts";
import type { Server } from "../../server/open-server.ts";
import { CliError } from "../cli-error.ts";
import { explainStoreError } from "../explain-store-error.ts";
import { explainServeError } from "./explain-serve-error.ts";
import type { ServeRequest } from "./serve-request.ts";

export interface ServerRun {
  readonly request: ServeRequest;
  readonly log: Logger;
  readonly start: NodeStart;
  /** Told when the server serves; what it rejects with ends the server. */
  readonly onServing: (server: Server, addresses: NodeAddresses) => Promise<void>;
  /** Resolves when the server has to leave. */
  readonly drainAsked: Promise<{ readonly listening: boolean }>;
}

/** Serves in this process until it is asked to leave, by `drainAsked` or its administrative port. Rejects with CliError. */
export async function runServer({ request, log, start, onServing, drainAsked }: ServerRun): Promise<void> {
  const { resolved } = request;
  if (resolved.config.profile === "cluster") await refusePending(resolved.config);
  const { openServer } = await import("../../server/open-server.ts");
  const server = await openServer(resolved, log).catch((error: unknown) => {
    throw explainServeError(error, resolved);
  });
  const reload = (): void => {
    const again = request.loadAgain();
    if ("problems" in again) log.error({ problems: again.problems }, "The configuration is wrong; nothing was changed");
    else server.reconfigure(again.config);
  };
  process.on("SIGHUP", reload);
  try {
    const administrator = new Promise<{ readonly listening: boolean }>((resolve) => {
      server.node.onDrainAsked = () => resolve({ listening: true });
    });
    await onServing(server, await server.node.start(start));
    await server.node.drain(await Promise.race([drainAsked, administrator]));
  } catch (error) {
    throw explainServeError(error, resolved);
  } finally {
    process.removeListener("SIGHUP", reload);
    await server.node.destroy();
    log.flush();
  }
}

/** A server of this version works on the schema of this version: not on less, and not on more. */
async function refusePending(config: ServeRequest["resolved"]["config"]): Promise<void> {
  const [{ pendingMigrations }, { migrationsFinding }] = await Promise.all([
    import("../../migrate/pending.ts"),
    import("../doctor/check-migrations.ts"),
  ]);
  const pending = await pendingMigrations(config).catch((error: unknown) => Promise.reject(explainStoreError(error)));
  const { state, message, fix } = migrationsFinding(pending);
  if (state === "ok") return;
  throw new CliError(
    "finding",
    `The server does not start on this schema: ${message}.`,
    fix === undefined ? {} : { fix },
  );
}
