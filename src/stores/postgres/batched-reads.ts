import { BoundedQueue } from "../../base/bounded-queue.ts";
import { createDeferred, type Deferred } from "../../base/deferred.ts";
import { WireError } from "../../protocol/wire-errors.ts";

/** Keys of one statement. */
const keysMax = 256;
/** A second one may begin while the first one's answer is on its way: the database need not wait for this process. */
const statementsAtOnce = 2;
const waitingMax = 16_384;

interface Asked<Key, Answer> {
  readonly key: Key;
  readonly answer: Deferred<Answer>;
}

/**
 * Point reads of many callers as few statements: whatever is asked while statements are under way goes with the next one. So
 * a read waits for two statements at most, however many ask, and under load a row costs a fraction of a statement. Nobody
 * joins a statement that was sent before: a read sees everything that was committed before it was asked for.
 */
export class BatchedReads<Key, Answer> {
  readonly #read: (keys: readonly Key[]) => Promise<readonly Answer[]>;
  readonly #waiting = new BoundedQueue<Asked<Key, Answer>>(waitingMax);
  #underWay = 0;
  #scheduled = false;

  /** `read` answers in the order of its keys, one answer each. */
  constructor(read: (keys: readonly Key[]) => Promise<readonly Answer[]>) {
    this.#read = read;
  }

  /** Rejects with what `read` rejects with; with WireError `store_unavailable` when too many wait. */
  get(key: Key): Promise<Answer> {
    const answer = createDeferred<Answer>();
    if (this.#waiting.push({ key, answer })) this.#schedule();
    else answer.reject(new WireError("store_unavailable", { detail: "Too many reads wait for PostgreSQL." }));
    return answer.promise;
  }

  /** Callers of one turn of the event loop travel together. */
  #schedule(): void {
    if (this.#scheduled || this.#underWay >= statementsAtOnce) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    while (this.#underWay < statementsAtOnce && this.#waiting.length > 0) {
      const batch: Asked<Key, Answer>[] = [];
      while (batch.length < keysMax) {
        const asked = this.#waiting.shift();
        if (asked === undefined) break;
        batch.push(asked);
      }
      this.#underWay++;
      // Never rejects.
      void this.#answer(batch);
    }
  }

  async #answer(batch: readonly Asked<Key, Answer>[]): Promise<void> {
    try {
      const answers = await this.#read(batch.map(({ key }) => key));
      for (const [index, { answer }] of batch.entries()) answer.resolve(answers[index] as Answer);
    } catch (error) {
      for (const { answer } of batch) answer.reject(error);
    } finally {
      this.#underWay--;
      this.#send();
    }
  }
}
