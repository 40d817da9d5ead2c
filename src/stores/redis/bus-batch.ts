import type { Delivery, Notice } from "../../core/ports/bus.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import type { Uuid } from "../../protocol/ids.ts";

/** Of what one process sends another. Another number means that the other end does not understand it. */
const busVersion = 1;

/**
 * batch: deliveries and notices, with the next number. beacon: the number used last, every second. hello: a process began
 * (or its lease began anew). bye: it ends, having sent everything; the number used last. notice: one notice for everybody,
 * which has no number: whoever published it knows whether Redis took it.
 */
export type BatchKind = "batch" | "beacon" | "hello" | "bye" | "notice";

/** Who sends what to whom. `counter` counts the batches of this pair of epochs from 1. */
export interface BatchHeader {
  readonly kind: BatchKind;
  readonly from: string;
  readonly fromEpoch: string;
  readonly toEpoch: string;
  readonly counter: number;
}

export interface Batch extends BatchHeader {
  readonly deliveries: readonly Delivery[];
  readonly notices: readonly Notice[];
  /** Devices whose connection at the receiving process was followed by one at the sender. */
  readonly displaced: readonly DisplacedDevice[];
  /** Users whose presence, or who may know of it, changed. */
  readonly present: readonly Uuid[];
}

interface DisplacedDevice {
  readonly displaced: Uuid;
  readonly device: number;
  readonly connection: string;
}

/** Users of whose presence the receiving process wants to hear. */
interface PresenceNews {
  readonly present: readonly Uuid[];
}

/** A delivery to these users, as one entry of a batch. `frameJson`: the frame, encoded once for all processes. */
export function encodeDelivery(userIds: readonly Uuid[], frameJson: string, except: Delivery["except"]): string {
  const tail = except === undefined ? "" : `,${JSON.stringify(except.userId)},${except.device}`;
  return `[${JSON.stringify(userIds)},${frameJson}${tail}]`;
}

export function encodeNotice(notice: Notice): string {
  return JSON.stringify(notice);
}

export function encodeDisplaced(userId: Uuid, device: number, connection: string): string {
  return JSON.stringify({ displaced: userId, device, connection } satisfies DisplacedDevice);
}

export function encodePresence(userIds: readonly Uuid[]): string {
  return JSON.stringify({ present: userIds } satisfies PresenceNews);
}

export function encodeBatch(header: BatchHeader, entries: readonly string[]): string {
  const { kind, from, fromEpoch, toEpoch, counter } = header;
  const head = JSON.stringify([busVersion, kind, from, fromEpoch, toEpoch, counter]);
  return `[${head},[${entries.join(",")}]]`;
}

type DeliveryEntry = [userIds: Uuid[], frame: ServerFrame, exceptUser?: Uuid, exceptDevice?: number];

/** Undefined = not of this version, or no batch at all. What is inside comes from a process of ours and is trusted. */
export function decodeBatch(text: string): Batch | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed) || !Array.isArray(parsed[0]) || !Array.isArray(parsed[1])) return undefined;
  const [version, kind, from, fromEpoch, toEpoch, counter] = parsed[0] as [number, BatchKind, ...unknown[]];
  if (version !== busVersion) return undefined;
  if (typeof from !== "string" || typeof fromEpoch !== "string" || typeof toEpoch !== "string") return undefined;
  if (!Number.isSafeInteger(counter)) return undefined;
  const deliveries: Delivery[] = [];
  const notices: Notice[] = [];
  const displaced: DisplacedDevice[] = [];
  const present: Uuid[] = [];
  for (const entry of parsed[1] as (DeliveryEntry | Notice | DisplacedDevice | PresenceNews)[]) {
    if (Array.isArray(entry)) deliveries.push(deliveryOf(entry));
    else if ("displaced" in entry) displaced.push(entry);
    else if ("present" in entry) present.push(...entry.present);
    else notices.push(entry);
  }
  return { kind, from, fromEpoch, toEpoch, counter: counter as number, deliveries, notices, displaced, present };
}

function deliveryOf([userIds, frame, userId, device]: DeliveryEntry): Delivery {
  if (userId === undefined || device === undefined) return { userIds, frame };
  return { userIds, frame, except: { userId, device } };
}
