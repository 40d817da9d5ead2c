/** Time that moves only when it is told to: what is scheduled runs in order of time, then of scheduling. */
export class VirtualTime {
  nowMs = 0;
  #order = 0;
  readonly #heap: Task[] = [];

  get pending(): number {
    return this.#heap.length;
  }

  schedule(delayMs: number, run: () => void): { cancel(): void } {
    const task: Task = { at: this.nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#heap.push(task);
    this.#siftUp(this.#heap.length - 1);
    return { cancel: () => (task.run = undefined) };
  }

  /** Runs the next task if it is due by `untilMs`; else moves the time there and answers false. */
  step(untilMs: number): boolean {
    const next = this.#heap[0];
    if (next === undefined || next.at > untilMs) {
      this.nowMs = Math.max(this.nowMs, untilMs);
      return false;
    }
    this.#pop();
    this.nowMs = Math.max(this.nowMs, next.at);
    next.run?.();
    return true;
  }

  /** Runs everything due until `untilMs`, then stands there. Throws after `stepsMax` steps: something spins. */
  runUntil(untilMs: number, stepsMax = 2_000_000): void {
    for (let steps = 0; this.#heap.length > 0 && (this.#heap[0] as Task).at <= untilMs; steps++) {
      if (steps > stepsMax) throw new Error(`more than ${stepsMax} steps before ${untilMs} ms`);
      const task = this.#pop();
      this.nowMs = Math.max(this.nowMs, task.at);
      task.run?.();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  #pop(): Task {
    const top = this.#heap[0] as Task;
    const last = this.#heap.pop() as Task;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#siftDown();
    }
    return top;
  }

  #siftUp(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(this.#heap[index] as Task, this.#heap[parent] as Task)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #siftDown(): void {
    let index = 0;
    for (;;) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < this.#heap.length && isBefore(this.#heap[child] as Task, this.#heap[least] as Task)) least = child;
      }
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #swap(one: number, other: number): void {
    const task = this.#heap[one] as Task;
    this.#heap[one] = this.#heap[other] as Task;
    this.#heap[other] = task;
  }
}

interface Task {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

function isBefore(one: Task, other: Task): boolean {
  return one.at === other.at ? one.order < other.order : one.at < other.at;
}
