/** The indices of equal values together, without an object per value: index lists laid end to end, found by their starts. */
export class Grouping {
  readonly #starts: Uint32Array;
  readonly #indices: Uint32Array;

  /** `values` in [0, groups). */
  constructor(values: Uint32Array, groups: number) {
    this.#starts = new Uint32Array(groups + 1);
    for (const value of values) this.#starts[value + 1] = (this.#starts[value + 1] as number) + 1;
    for (let group = 0; group < groups; group++) {
      this.#starts[group + 1] = (this.#starts[group + 1] as number) + (this.#starts[group] as number);
    }
    const next = this.#starts.slice();
    this.#indices = new Uint32Array(values.length);
    values.forEach((value, index) => {
      const at = next[value] as number;
      this.#indices[at] = index;
      next[value] = at + 1;
    });
  }

  /** Ascending. */
  of(group: number): Uint32Array {
    return this.#indices.subarray(this.#starts[group] ?? 0, this.#starts[group + 1] ?? 0);
  }
}
