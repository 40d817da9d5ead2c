import cluster from "node:cluster";
import type { Logger } from "../../base/logger.ts";
import { CliError } from "../cli-error.ts";
import type { Invocation } from "../command.ts";
import type { ExitReason } from "../exit-codes.ts";
import { asksToLeave, createServerLog } from "./server-log.ts";
import { runServer } from "./run-server.ts";
import { readServeRequest, type ServeRequest } from "./serve-request.ts";
import { openWorkerChannel, type WorkerChannel } from "./worker-channel.ts";

/**
 * One of several processes under a supervisor: the same server, which speaks to its supervisor instead of on stdout and is
 * told when to leave. The supervisor says what went wrong, once for all.
 */
export async function runWorker(invocation: Invocation): Promise<ExitReason> {
  const channel = openWorkerChannel();
  try {
    const request = named(readServeRequest(invocation));
    const log = await createServerLog(invocation, request.resolved.config, { worker: cluster.worker?.id });
    await serveAsWorker(invocation, request, log, channel);
    return "done";
  } catch (error) {
    const known = error instanceof CliError ? error : undefined;
    const message = error instanceof Error ? error.message : String(error);
    const exit = known?.exit ?? "failed";
    await channel.report({ report: "failed", exit, message, fix: known?.fix });
    return exit;
  }
}

async function serveAsWorker(
  { interrupted }: Invocation,
  request: ServeRequest,
  log: Logger,
  channel: WorkerChannel,
): Promise<void> {
  await runServer({
    request,
    log,
    start: { anyPort: false, administration: "later" },
    drainAsked: Promise.race([channel.drainAsked, asksToLeave(interrupted)]),
    async onServing({ node, context }, { url }) {
      // Handled by the same listener as a SIGHUP of its own.
      channel.onReload = () => void process.emit("SIGHUP");
      await channel.report({ report: "ready", node: context.nodeId, url });
      const leaving = Promise.race([channel.drainAsked, asksToLeave(interrupted)]);
      const port = await Promise.race([channel.adminAsked, leaving.then(() => undefined)]);
      if (port === undefined) return;
      const adminUrl = await node.openAdmin(port);
      if (adminUrl !== undefined) await channel.report({ report: "administered", adminUrl });
    },
  });
}

/** Processes have different names; that of a worker which died is not used again, for others may still know it. */
function named(request: ServeRequest): ServeRequest {
  const { resolved } = request;
  const { name } = resolved.config.node;
  if (name === "") return request;
  const node = { name: `${name}-${cluster.worker?.id}` };
  return { ...request, resolved: { ...resolved, config: { ...resolved.config, node } } };
}
