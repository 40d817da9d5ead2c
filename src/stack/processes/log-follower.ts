import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { logSize } from "./log-file.ts";

const readBytesMax = 256 * 1024;

/** Reads what is written to a log from now on, line by line. A log that was rotated is read from its new beginning. */
export class LogFollower {
  readonly #file: string;
  #at: number;
  #part = "";

  constructor(file: string) {
    this.#file = file;
    this.#at = logSize(file);
  }

  /** Whole lines that were written since the last time. Bounded: the rest comes with the next call. */
  read(): readonly string[] {
    let descriptor: number;
    try {
      descriptor = openSync(this.#file, "r");
    } catch {
      return [];
    }
    try {
      const { size } = fstatSync(descriptor);
      if (size < this.#at) {
        this.#at = 0;
        this.#part = "";
      }
      const bytes = Buffer.alloc(Math.min(readBytesMax, size - this.#at));
      const length = readSync(descriptor, bytes, 0, bytes.length, this.#at);
      this.#at += length;
      const lines = `${this.#part}${bytes.toString("utf8", 0, length)}`.split("\n");
      this.#part = (lines.pop() ?? "").slice(-readBytesMax);
      return lines;
    } finally {
      closeSync(descriptor);
    }
  }
}
