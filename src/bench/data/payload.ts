import { assert } from "../../base/assert.ts";
import { createSeededRandom, randomBelow } from "../../base/random.ts";

/**
 * What a bench message says: a header that the receiving worker checks, then readable filler from a pool made once. The
 * envelope is base64 of {"v":1,"suite":0,"body":{"text":…}}. Filler is kept encoded, and the header is padded to a multiple
 * of three bytes, so that making an envelope encodes some 90 bytes, whatever the message's size.
 */
export interface PayloadHeader {
  /** Identifies this run, so that rows of another run are told apart; [0, 2³²). */
  readonly run: number;
  /** Number of the sending device. */
  readonly sender: number;
  readonly conversation: number;
  /** Number of the message within (sender, conversation), from 1. */
  readonly n: number;
  /** When the sender meant to start, µs since the run's common t0. */
  readonly intendedUs: number;
  /** Which workload sent it; −1 for what is written before the load begins. */
  readonly workload: number;
  /** At which of the run's servers the sender was when it meant to start, from 0. */
  readonly server: number;
}

const opening = '{"v":1,"suite":0,"body":{"text":"';
const mark = "msgr-bench";
/** Exactly three bytes, so that it encodes on its own. */
const closing = btoa('"}}');
/** Room for the mark and seven numbers of at most 15 digits, in base64. */
const headEncodedMax = 4 * Math.ceil((opening.length + mark.length + 7 * 16 + 8) / 3);
const fillerBytesMax = 48 * 1024;
const poolBytes = 2 * fillerBytesMax;

export class PayloadPool {
  readonly #filler: string;

  constructor(seed: number) {
    const random = createSeededRandom(seed);
    let text = "";
    while (text.length < poolBytes) text += `${words[randomBelow(random, words.length)]} `;
    this.#filler = btoa(text.slice(0, poolBytes));
  }

  /** `textBytes` counts the whole text, header included; a text is never shorter than its header. */
  envelope(header: PayloadHeader, textBytes: number): string {
    const { run, sender, conversation, n, intendedUs, workload, server } = header;
    const fields = `${run} ${sender} ${conversation} ${n} ${intendedUs} ${workload} ${server}`;
    const text = `${mark} ${fields} `;
    const padded = text.padEnd(text.length + ((3 - ((opening.length + text.length) % 3)) % 3), " ");
    const head = Buffer.from(opening + padded, "latin1").toString("base64");
    const fillerUnits = Math.min(fillerBytesMax / 3, Math.max(0, Math.round((textBytes - padded.length) / 3)));
    const offset = (n * 61) % ((poolBytes - fillerBytesMax) / 3);
    return head + this.#filler.slice(offset * 4, (offset + fillerUnits) * 4) + closing;
  }
}

/** Undefined when the envelope was not made by a bench. Reads only the beginning, whatever the message's size. */
export function parsePayloadHeader(envelope: string): PayloadHeader | undefined {
  const head = Buffer.from(envelope.slice(0, headEncodedMax), "base64").toString("latin1");
  if (!head.startsWith(mark, opening.length)) return undefined;
  const parts: string[] = head.slice(opening.length + mark.length + 1).split(" ", 8);
  // The eighth part proves that the seventh was not cut off.
  if (parts.length < 8) return undefined;
  const numbers = parts.slice(0, 7).map(Number);
  if (!numbers.every((value) => Number.isSafeInteger(value))) return undefined;
  const [run, sender, conversation, n, intendedUs, workload, server] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { run, sender, conversation, n, intendedUs, workload, server };
}

const words = (
  "the of and to in that it is was for on with as be at by this have from or one had not but what all were when we there " +
  "can an your which their said if do will each about how up out them then she many some so these would other into has more " +
  "her two like him see time could no make than first been its who now people my made over did down only way find use may " +
  "water long little very after words called just where most know tomorrow coffee train late soon maybe thanks really"
).split(" ");

assert(closing.length === 4, "the end of an envelope encodes on its own");
