import type { z } from "zod";
import { limits } from "../../protocol/limits.ts";
import { countField, durationField, section, selectionField, sizeField, textSizeField, wordField } from "./fields.ts";

/**
 * What a workload can do: one row an operation. `options` are its keys in a workload besides those of the executor;
 * `executors` those it makes sense with; `subject` whom an arrival picks (a user, or a member of one of the groups);
 * `targets` what it can be done to: a server, or the stores without one.
 * A row is added together with the code that runs it, so a scenario never names what nothing does.
 */
const size = textSizeField.default({ kind: "fixed", bytes: 200 });
const uniform = { kind: "uniform" } as const;
const everyExecutor = ["constant-arrival-rate", "per-user-period", "closed"] as const;

export const targetModes = ["server", "store"] as const;
export type TargetMode = (typeof targetModes)[number];
const onServer: readonly TargetMode[] = ["server"];
const onStore: readonly TargetMode[] = ["store"];

/**
 * Through what a store is spoken to: our adapter, as the server does; the driver alone with the same statements, which is
 * the ceiling for the adapter; or a protocol writer of our own, which shows how much of the rest is the driver's.
 */
const adapterOrBare = wordField("client", ["adapter", "bare"]).default("adapter");
const client = wordField("client", ["adapter", "bare", "raw"]);
/** literal: each heartbeat is a write; lease: the process holds presence for its connections. */
const presenceMode = wordField("presence mode", ["literal", "lease"]).optional();

export const operations = {
  "message.send": {
    does: "sends a direct message to a contact; ends with its ACK",
    subject: "user",
    targets: onServer,
    executors: everyExecutor,
    options: section({ size, to: selectionField.default(uniform) }),
  },
  "group.send": {
    does: "sends a message to a group of the given size; ends with its ACK",
    subject: "member",
    targets: onServer,
    executors: ["constant-arrival-rate", "closed"],
    options: section({
      members: countField(2, limits.membersPerGroupMax),
      size,
      groups: selectionField.default(uniform),
    }),
  },
  receipts: {
    does: "reads everything unread in one conversation; ends when the server has answered the receipt",
    subject: "user",
    targets: onServer,
    executors: everyExecutor,
    options: section({}),
  },
  "presence.heartbeat": {
    does: "sends a heartbeat; ends with its answer",
    subject: "user",
    targets: targetModes,
    executors: everyExecutor,
    /** Both for the stores only; default adapter and literal. */
    options: section({ client: client.optional(), mode: presenceMode }),
  },
  "session.connect": {
    does: "drops a device's connection, stays away, connects again; timed from the new connection to WELCOME",
    subject: "user",
    targets: onServer,
    executors: everyExecutor,
    options: section({ away: durationField.default(0) }),
  },
  "session.sync": {
    does: "goes offline, stays away, connects again; timed from the new connection to SYNC_DONE",
    subject: "user",
    targets: onServer,
    executors: everyExecutor,
    options: section({ away: durationField.default(5_000) }),
  },
  "history.page": {
    does: "reads one page of a conversation's history",
    subject: "user",
    targets: onServer,
    executors: everyExecutor,
    options: section({
      limit: countField(1, limits.pageRowsMax).default(50),
      in: wordField("kind of conversation", ["direct", "group"]).default("direct"),
      depth: wordField("depth", ["newest", "uniform"]).default("uniform"),
    }),
  },
  "media.roundtrip": {
    does: "uploads media, commits it and reads it back; ends when the digest is right",
    subject: "user",
    targets: onServer,
    executors: everyExecutor,
    options: section({ size: sizeField(1, limits.mediaBytesMax).default(64 * 1_024) }),
  },
  "presence.lookup": {
    does: "asks whether a user is online; whoever beat in time must be",
    subject: "user",
    targets: onStore,
    executors: everyExecutor,
    options: section({ client: adapterOrBare, mode: presenceMode }),
  },
  "store.append": {
    does: "appends a row to a conversation's log by the conditional batch",
    subject: "user",
    targets: onStore,
    executors: everyExecutor,
    options: section({ client: adapterOrBare, size }),
  },
  "store.plain": {
    does: "writes the same row without a condition: what an append is measured against",
    subject: "user",
    targets: onStore,
    executors: everyExecutor,
    options: section({ size }),
  },
  "store.register": {
    does: "raises the registers of one list row",
    subject: "user",
    targets: onStore,
    executors: everyExecutor,
    options: section({ client: adapterOrBare }),
  },
  "store.page": {
    does: "reads a page of rows from anywhere in a conversation's log",
    subject: "user",
    targets: onStore,
    executors: everyExecutor,
    options: section({ client: adapterOrBare, limit: countField(1, limits.pageRowsMax).default(50) }),
  },
  "store.message": {
    does: "does what a direct message takes: an append and both members' list rows",
    subject: "user",
    targets: onStore,
    executors: everyExecutor,
    options: section({ client: adapterOrBare, size }),
  },
  "store.redis-set": {
    does: "writes one key with an expiry",
    subject: "user",
    targets: onStore,
    executors: everyExecutor,
    options: section({ client: wordField("client", ["bare", "raw"]).default("bare") }),
  },
} as const;

export type OperationName = keyof typeof operations;
export const operationNames = Object.keys(operations) as OperationName[];

export type OperationOptions<Name extends OperationName> = z.infer<(typeof operations)[Name]["options"]>;

/** An operation with its options: the pair that tells a worker what to do. */
export type Operation = {
  [Name in OperationName]: { readonly do: Name; readonly options: OperationOptions<Name> };
}[OperationName];
