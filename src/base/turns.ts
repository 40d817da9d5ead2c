/** Work on one key is done one after the other, keys side by side. How much may wait is for the caller to bound. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** At once if nothing of the key is under way. What one piece of work rejects with is its caller's alone. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const mine = before === undefined ? work() : before.then(work, work);
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }

  /** Keys with work under way. */
  get size(): number {
    return this.#last.size;
  }
}
