import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { historyPageFields } from "./pages.ts";
import { pageWeight, type Route } from "./route.ts";

export const rangeRoute: Route<"RANGE"> = {
  rule: "read",
  weight: pageWeight,
  async run({ core }, connection, frame) {
    if (frame.from > frame.to) throw new WireError("bad_request", { detail: "from: above to" });
    const page = await core.reading.range(connection.caller, frame.conversation_id, frame.from, frame.to);
    const fields = historyPageFields(frame.conversation_id, page);
    await connection.sendPage({ type: "RANGE_PAGE", request: frame.request, ...fields });
    return undefined;
  },
};

export const historyRoute: Route<"HISTORY"> = {
  rule: "read",
  weight: pageWeight,
  async run({ core }, connection, frame) {
    const before =
      frame.before_seq !== undefined
        ? { seq: frame.before_seq }
        : frame.before_time !== undefined
          ? { time: frame.before_time }
          : undefined;
    const rows = frame.limit ?? limits.syncInitialRows;
    const page = await core.reading.history(connection.caller, frame.conversation_id, before, rows);
    const fields = historyPageFields(frame.conversation_id, page);
    await connection.sendPage({ type: "HISTORY_PAGE", request: frame.request, ...fields });
    return undefined;
  },
};
