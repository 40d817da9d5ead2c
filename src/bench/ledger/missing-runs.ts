/**
 * The holes of streams: runs of numbers that were passed over. Few streams ever have one, and most holes are filled soon,
 * so they are lists in a map; their number is bounded, since a broken system could make one for every message.
 */
export class MissingRuns {
  readonly runsMax: number;
  readonly #runs = new Map<number, [number, number][]>();
  #count = 0;
  #overflowed = false;

  constructor(runsMax = 200_000) {
    this.runsMax = runsMax;
  }

  /** True once a hole could not be kept. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Numbers from…to of a stream were passed over; above all earlier holes of that stream. */
  open(stream: number, from: number, to: number): void {
    if (this.#count >= this.runsMax) {
      this.#overflowed = true;
      return;
    }
    this.#count++;
    const runs = this.#runs.get(stream);
    if (runs === undefined) this.#runs.set(stream, [[from, to]]);
    else runs.push([from, to]);
  }

  /** Number n has come after all. False: it is in no hole. */
  fill(stream: number, n: number): boolean {
    const runs = this.#runs.get(stream);
    const index = runs?.findIndex(([from, to]) => n >= from && n <= to) ?? -1;
    if (runs === undefined || index < 0) return false;
    const [from, to] = runs[index] as [number, number];
    const rest: [number, number][] = [];
    if (from < n) rest.push([from, n - 1]);
    if (n < to) rest.push([n + 1, to]);
    runs.splice(index, 1, ...rest);
    this.#count += rest.length - 1;
    if (runs.length === 0) this.#runs.delete(stream);
    return true;
  }

  forget(stream: number): void {
    this.#count -= this.#runs.get(stream)?.length ?? 0;
    this.#runs.delete(stream);
  }

  /** stream, from, to, stream, from, to … */
  serialise(): Float64Array {
    return Float64Array.from(
      [...this.#runs].flatMap(([stream, runs]) => runs.flatMap(([from, to]) => [stream, from, to])),
    );
  }
}
