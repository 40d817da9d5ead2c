import cassandra from "cassandra-driver";
import { WireError } from "../../protocol/wire-errors.ts";

/**
 * What an error of the driver says about the statement it belongs to. The cautious answer is `unknown`: a conditional write
 * that may have happened must never be reported as not done, or its message could be in the log twice.
 *
 * - `not_done`: nothing was sent, or the node refused it before it looked at data.
 * - `full`: refused since a disk is as full as it may be.
 * - `unknown`: it was sent; it may have happened or happen later. Also `unavailable` and `overloaded`, which paxos may
 *   answer after a proposal was accepted somewhere.
 * - `broken`: the statement itself is wrong, or the driver is. Asking again cannot help.
 */
export type Verdict = "not_done" | "full" | "unknown" | "broken";

const { errors, types } = cassandra;
const codes = types.responseErrorCodes;

/** The guardrail `data_disk_usage_percentage_fail_threshold`; Cassandra has no code of its own for it. */
const fullMessage = /disk usage exceeds fail(?:ure)? threshold/i;

export function judgeDriverError(error: unknown): Verdict {
  if (error instanceof errors.NoHostAvailableError || error instanceof errors.BusyConnectionError) return "not_done";
  if (error instanceof errors.OperationTimedOutError) return "unknown";
  if (error instanceof errors.ResponseError) return judgeResponse(error);
  if (isSocketError(error)) return error.requestNotWritten === true ? "not_done" : "unknown";
  return isNoConnection(error) ? "not_done" : "broken";
}

function judgeResponse({ code, message }: cassandra.errors.ResponseError): Verdict {
  switch (code as cassandra.types.responseErrorCodes) {
    case codes.invalid:
      return fullMessage.test(message) ? "full" : "not_done";
    case codes.isBootstrapping:
    case codes.unauthorized:
    case codes.configError:
    case codes.badCredentials:
    case codes.unprepared:
      return "not_done";
    case codes.syntaxError:
    case codes.protocolError:
      return "broken";
    default:
      return "unknown";
  }
}

interface SocketError {
  readonly isSocketError: true;
  /** Set by the driver when the bytes never left. */
  readonly requestNotWritten?: boolean;
}

function isSocketError(error: unknown): error is SocketError {
  return typeof error === "object" && error !== null && "isSocketError" in error && error.isSocketError === true;
}

/** A statement that has to be prepared first meets a pool without connections: the driver throws a bare Error. */
function isNoConnection(error: unknown): boolean {
  return error instanceof Error && error.message === "No connection available";
}

/** What callers of a port hear, where repeating does no harm: reads, registers, and appends of which nothing was sent. */
export function wireErrorOf(error: unknown): unknown {
  if (error instanceof WireError) return error;
  switch (judgeDriverError(error)) {
    case "full":
      return new WireError("storage_full", { cause: error });
    case "not_done":
    case "unknown":
      return new WireError("store_unavailable", { cause: error });
    case "broken":
      return error;
  }
}
