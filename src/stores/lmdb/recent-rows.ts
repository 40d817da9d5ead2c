/**
 * Rows as they were last committed, decoded, by the text of their keys: bounded, and about the most recently used.
 * Two generations instead of a linked list: a full young one becomes the old one, and what is used in the old one moves
 * up, so that neither a hit nor a miss has to keep any order.
 */
export class RecentRows {
  readonly #rowsPerGeneration: number;
  #young = new Map<string, unknown>();
  #old = new Map<string, unknown>();

  /** Holds between `rowsMax` / 2 and `rowsMax` of the rows used last. */
  constructor(rowsMax: number) {
    this.#rowsPerGeneration = Math.ceil(rowsMax / 2);
  }

  get(text: string): unknown {
    const value = this.#young.get(text);
    if (value !== undefined) return value;
    const aged = this.#old.get(text);
    if (aged !== undefined) this.set(text, aged);
    return aged;
  }

  set(text: string, value: unknown): void {
    if (this.#young.size >= this.#rowsPerGeneration) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, value);
  }

  delete(text: string): void {
    this.#young.delete(text);
    this.#old.delete(text);
  }
}
