import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { memoryOf } from "../connection/connection-memory.ts";
import type { Route } from "./route.ts";

export const heartbeatRoute: Route<"HEARTBEAT"> = {
  weight: 1,
  run(services, connection) {
    connection.heartbeat();
    services.watch.beat(connection);
    services.registrations?.refresh(connection);
    return { type: "HEARTBEAT_ACK", server_time: services.clock.nowMs() };
  },
};

export const watchRoute: Route<"WATCH"> = {
  rule: "watch",
  weight: 8,
  async run(services, connection, frame) {
    memoryOf(connection);
    if (await services.watch.watch(connection, frame.user_ids)) return undefined;
    throw new WireError("too_many", { detail: `one connection watches at most ${limits.watchedUsersMax} users` });
  },
};

export const unwatchRoute: Route<"UNWATCH"> = {
  weight: 1,
  run(services, connection, frame) {
    services.watch.unwatch(connection, frame.user_ids);
    return undefined;
  },
};
