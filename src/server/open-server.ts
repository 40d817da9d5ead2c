import { systemClock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Config } from "./config/config-schema.ts";
import { describeConfig, type ResolvedConfig } from "./config/resolve-config.ts";
import { Connections } from "./connections.ts";
import { createContext } from "./context.ts";
import type { ServerContext } from "./context-types.ts";
import { ServerNode } from "./node.ts";
import { ratePresets } from "./rate-rules.ts";

export interface Server {
  readonly context: ServerContext;
  readonly node: ServerNode;
  /** Takes over what may change while the server runs: log.level and limits.preset. */
  reconfigure(config: Config): void;
}

/** A server that is not listening yet. Rejects with DataFolderError or StoreError. Close it with node.destroy(). */
export async function openServer(resolved: ResolvedConfig, log: Logger, clock = systemClock): Promise<Server> {
  const context = await createContext(resolved.config, log, clock);
  const connections = new Connections(context);
  const node = new ServerNode(context, connections, () => ({ settings: describeConfig(resolved) }));
  return {
    context,
    node,
    reconfigure(config) {
      context.rules = ratePresets[config.limits.preset];
      log.setLevel(config.log.level);
      log.info({ preset: config.limits.preset, level: config.log.level }, "Configuration read again");
    },
  };
}
