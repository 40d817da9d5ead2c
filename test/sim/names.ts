import type { Uuid } from "../../src/protocol/ids.ts";

/** Short names for ids, in the order in which they are first asked for: for people who read a trace. */
export class Names {
  readonly #names = new Map<Uuid, string>();
  readonly #counts = new Map<string, number>();

  give(id: Uuid, name: string): void {
    this.#names.set(id, name);
  }

  of(id: Uuid, letter = "x"): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const count = (this.#counts.get(letter) ?? 0) + 1;
    this.#counts.set(letter, count);
    const name = `${letter}${count}`;
    this.#names.set(id, name);
    return name;
  }
}
