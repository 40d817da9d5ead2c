import type { ServerFrameOf } from "../../protocol/frames/server-frames.ts";
import type { WireError } from "../../protocol/wire-errors.ts";

export function errorFrame(error: WireError, request: string | undefined): ServerFrameOf<"ERROR"> {
  return {
    type: "ERROR",
    ...(request === undefined ? {} : { request }),
    code: error.code,
    message: error.message,
    temporary: error.temporary,
    ...(error.undecided ? { undecided: true } : {}),
    ...(error.conversationId === undefined ? {} : { conversation_id: error.conversationId }),
    ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: Math.ceil(error.retryAfterMs) }),
  };
}
