import type { SendGate } from "../../core/api.ts";
import type { Connection } from "../connection/connection.ts";
import { memoryOf } from "../connection/connection-memory.ts";
import { ackFields, draftOf } from "./message-draft.ts";
import type { Route, RouteServices } from "./route.ts";

/** ACK leaves only when the core says that the message and everyone's list rows are on disk. */
export const sendMessageRoute: Route<"SEND_MESSAGE"> = {
  rule: "send",
  weight: 1,
  /** Nothing sent after it may overtake it. */
  postponed(services, connection, frame) {
    const draft = { to: frame.to, messageId: frame.message_id };
    services.core.delivery.postpone(connection.caller, gateOf(services, connection), draft);
  },
  async run(services, connection, frame) {
    const gate = gateOf(services, connection);
    const sent = await services.core.delivery.send(connection.caller, gate, draftOf(frame));
    return { type: "ACK", request: frame.request, ...ackFields(frame.message_id, sent) };
  },
};

function gateOf({ core }: RouteServices, connection: Connection): SendGate {
  return (memoryOf(connection).gate ??= core.delivery.createGate());
}
