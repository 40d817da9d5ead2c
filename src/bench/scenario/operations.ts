import type { z } from "zod";
import { limits } from "../../protocol/limits.ts";
import { countField, durationField, section, selectionField, textSizeField, wordField } from "./fields.ts";

/**
 * What a workload can do: one row an operation. `options` are its keys in a workload besides those of the executor;
 * `executors` those it makes sense with; `subject` whom an arrival picks (a user, or a member of one of the groups).
 * A row is added together with the code that runs it, so a scenario never names what nothing does.
 */
const size = textSizeField.default({ kind: "fixed", bytes: 200 });
const uniform = { kind: "uniform" } as const;
const everyExecutor = ["constant-arrival-rate", "per-user-period", "closed"] as const;

export const operations = {
  "message.send": {
    does: "sends a direct message to a contact; ends with its ACK",
    subject: "user",
    executors: everyExecutor,
    options: section({ size, to: selectionField.default(uniform) }),
  },
  "group.send": {
    does: "sends a message to a group of the given size; ends with its ACK",
    subject: "member",
    executors: ["constant-arrival-rate", "closed"],
    options: section({
      members: countField(2, limits.membersDirectFanOutMax),
      size,
      groups: selectionField.default(uniform),
    }),
  },
  receipts: {
    does: "reads everything unread in one conversation; ends when the server has answered the receipt",
    subject: "user",
    executors: everyExecutor,
    options: section({}),
  },
  "presence.heartbeat": {
    does: "sends a heartbeat; ends with its answer",
    subject: "user",
    executors: everyExecutor,
    options: section({}),
  },
  "session.connect": {
    does: "drops a device's connection, stays away, connects again; timed from the new connection to WELCOME",
    subject: "user",
    executors: everyExecutor,
    options: section({ away: durationField.default(0) }),
  },
  "session.sync": {
    does: "goes offline, stays away, connects again; timed from the new connection to SYNC_DONE",
    subject: "user",
    executors: everyExecutor,
    options: section({ away: durationField.default(5_000) }),
  },
  "history.page": {
    does: "reads one page of a conversation's history",
    subject: "user",
    executors: everyExecutor,
    options: section({
      limit: countField(1, limits.pageRowsMax).default(50),
      in: wordField("kind of conversation", ["direct", "group"]).default("direct"),
      depth: wordField("depth", ["newest", "uniform"]).default("uniform"),
    }),
  },
} as const;

export type OperationName = keyof typeof operations;
export const operationNames = Object.keys(operations) as OperationName[];

export type OperationOptions<Name extends OperationName> = z.infer<(typeof operations)[Name]["options"]>;

/** An operation with its options: the pair that tells a worker what to do. */
export type Operation = {
  [Name in OperationName]: { readonly do: Name; readonly options: OperationOptions<Name> };
}[OperationName];
