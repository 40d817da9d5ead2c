import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Connection } from "../connection/connection.ts";
import { memoryOf } from "../connection/connection-memory.ts";
import type { Route, RouteServices } from "./route.ts";

/** What a client has to know of limits.ts before it sends anything. */
const toldLimits = {
  frame_bytes_max: limits.frameBytesMax,
  envelope_bytes_max: limits.envelopeBytesMax,
  json_depth_max: limits.jsonDepthMax,
  page_rows_max: limits.pageRowsMax,
  sync_cursors_per_frame_max: limits.syncCursorsPerFrameMax,
  drafts_per_connection_max: limits.draftsPerConnectionMax,
  watched_users_max: limits.watchedUsersMax,
  silence_timeout_ms: limits.silenceTimeoutMs,
  send_queue_bytes_max: limits.sendQueueBytesMax,
  send_queue_frames_max: limits.sendQueueFramesMax,
};

/**
 * From WELCOME on the connection is in the hub, and other processes find it: only then may heads be read for it, and
 * whatever is appended after a head was read is pushed to it. So frames that follow HELLO wait while it is registered.
 */
export const helloRoute: Route<"HELLO"> = {
  weight: 1,
  run(services, connection, frame) {
    if (connection.state !== "opening") throw new WireError("bad_request", { detail: "HELLO came before" });
    if (frame.device !== connection.caller.device) {
      connection.close("device_mismatch");
      return undefined;
    }
    connection.greet();
    const registering = services.registrations?.register(connection);
    if (registering === undefined) return welcome(services, connection);
    const memory = memoryOf(connection);
    const welcomed = registering.then(() => {
      if (memory.admissions === turn) memory.admissions = undefined;
      return welcome(services, connection);
    });
    const turn = welcomed.then(() => {});
    memory.admissions = turn;
    return welcomed;
  },
};

function welcome(services: RouteServices, connection: Connection): undefined {
  if (connection.state !== "greeted") {
    services.registrations?.forget(connection);
    return;
  }
  if (!services.hub.add(connection)) return;
  connection.send({
    type: "WELCOME",
    node: services.nodeId,
    connection: connection.id,
    user_id: connection.caller.userId,
    device: connection.caller.device,
    server_time: services.clock.nowMs(),
    heartbeat_ms: limits.heartbeatIntervalMs,
    limits: toldLimits,
  });
  services.watch.beat(connection);
}
