/** A promise whose two ends are held apart: one side waits, the other settles. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

export function createDeferred<T>(): Deferred<T> {
  return Promise.withResolvers<T>();
}
