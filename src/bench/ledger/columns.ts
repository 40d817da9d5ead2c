import { assert } from "../../base/assert.ts";

/** Columns of typed arrays that grow by doubling, and an index of rows by key: the ledger's memory for millions of rows. */
type Numbers = Uint8Array | Uint32Array | Float64Array;

export class Column<Store extends Numbers> {
  #values: Store;
  readonly #make: (length: number) => Store;

  constructor(make: (length: number) => Store) {
    this.#make = make;
    this.#values = make(256);
  }

  get(row: number): number {
    return this.#values[row] ?? 0;
  }

  set(row: number, value: number): void {
    if (row >= this.#values.length) {
      const larger = this.#make(Math.max(row + 1, this.#values.length * 2));
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[row] = value;
  }

  add(row: number, by: number): void {
    this.set(row, this.get(row) + by);
  }

  /** A copy of the first `length` values. */
  take(length: number): Store {
    const copy = this.#make(length);
    copy.set(this.#values.subarray(0, length));
    return copy;
  }
}

export const uint8Column = (): Column<Uint8Array> => new Column((length) => new Uint8Array(length));
export const uint32Column = (): Column<Uint32Array> => new Column((length) => new Uint32Array(length));
export const float64Column = (): Column<Float64Array> => new Column((length) => new Float64Array(length));

/** Key → row number 0, 1, 2 … in the order of adding. Keys are whole numbers ≥ 0 below 2⁵³. Open addressing, no objects. */
export class RowIndex {
  readonly rowsMax: number;
  #keys = new Float64Array(1_024).fill(-1);
  #rows = new Uint32Array(1_024);
  #size = 0;

  constructor(rowsMax: number) {
    this.rowsMax = rowsMax;
  }

  get size(): number {
    return this.#size;
  }

  /** −1 when the key was never added. */
  find(key: number): number {
    const at = this.#placeOf(key, this.#keys);
    return this.#keys[at] === key ? (this.#rows[at] as number) : -1;
  }

  /** The row of a key, a new one if it has none yet. */
  findOrAdd(key: number): number {
    let at = this.#placeOf(key, this.#keys);
    if (this.#keys[at] === key) return this.#rows[at] as number;
    assert(this.#size < this.rowsMax, `ledger of at most ${this.rowsMax} rows`);
    if (this.#size * 2 >= this.#keys.length) {
      this.#grow();
      at = this.#placeOf(key, this.#keys);
    }
    this.#keys[at] = key;
    this.#rows[at] = this.#size;
    return this.#size++;
  }

  #placeOf(key: number, keys: Float64Array): number {
    const mask = keys.length - 1;
    let hash = Math.imul((key | 0) ^ Math.imul((key / 0x1_0000_0000) | 0, 0x85ebca6b), 0x9e3779b1);
    hash ^= hash >>> 15;
    let at = hash & mask;
    while (keys[at] !== -1 && keys[at] !== key) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const keys = new Float64Array(this.#keys.length * 2).fill(-1);
    const rows = new Uint32Array(keys.length);
    for (let old = 0; old < this.#keys.length; old++) {
      const key = this.#keys[old] as number;
      if (key === -1) continue;
      const at = this.#placeOf(key, keys);
      keys[at] = key;
      rows[at] = this.#rows[old] as number;
    }
    this.#keys = keys;
    this.#rows = rows;
  }
}
