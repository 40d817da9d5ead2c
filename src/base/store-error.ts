/** The stores of the cluster profile, as errors name them. */
export type StoreName = "cassandra" | "postgres" | "redis" | "s3" | "kafka";

export type StoreErrorKind =
  | "unreachable"
  | "wrong_password"
  /** Its certificate proves nothing. */
  | "untrusted"
  /** It was spoken to with TLS and speaks none, or the other way round. */
  | "wrong_transport"
  | "wrong_version"
  | "missing_database"
  | "read_only"
  | "full"
  | "other";

/**
 * What a store, or the way to it, answered instead of doing the work. Adapters translate every error of their driver into
 * one of these, so that no driver's error leaves its folder; `cause` keeps the original.
 */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly store: StoreName;
  readonly kind: StoreErrorKind;
  /** What an operator can do about it: a sentence or a command. */
  readonly fix: string;

  constructor(store: StoreName, kind: StoreErrorKind, message: string, fix: string, cause?: unknown) {
    super(message, { cause });
    this.store = store;
    this.kind = kind;
    this.fix = fix;
  }

  /** The store did not answer: what was asked may have been done or not, and asking again can help. */
  get outcomeUnknown(): boolean {
    return this.kind === "unreachable";
  }
}
