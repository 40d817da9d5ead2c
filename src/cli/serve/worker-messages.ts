import type { ExitReason } from "../exit-codes.ts";

/** What a worker of `msgr serve --workers` tells its supervisor. They are the same program, so nothing is validated. */
export type WorkerReport =
  /** It takes connections on the public port. `node`: its name among the server processes. */
  | { readonly report: "ready"; readonly node: string; readonly url: string }
  /** Its administrative port is open. */
  | { readonly report: "administered"; readonly adminUrl: string }
  /** It ends, for this reason. */
  | {
      readonly report: "failed";
      readonly exit: ExitReason;
      readonly message: string;
      readonly fix?: string | undefined;
    };

/** What the supervisor wants of a worker. */
export type WorkerOrder =
  | { readonly order: "open_admin"; readonly port: number }
  /**
   * Ask everyone to leave, then end. `listening`: newcomers are answered with 503, since the whole server ends; otherwise
   * they go to the other workers.
   */
  | { readonly order: "drain"; readonly listening: boolean }
  /** Read log.level and limits.preset again. */
  | { readonly order: "reload" };

export type WorkerFailure = Extract<WorkerReport, { readonly report: "failed" }>;
