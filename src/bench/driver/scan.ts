import { z } from "zod";
import { isVoid, type PageRow } from "../../protocol/fields.ts";
import { limits } from "../../protocol/limits.ts";
import { isCountable, kinds } from "../../protocol/kinds.ts";
import { unreadByRegisters } from "../../protocol/receipt-math.ts";
import type { Registers } from "../../protocol/fields.ts";
import type { Directory } from "../data/directory.ts";
import { mixFloat, seedFor } from "../data/mix.ts";
import { parsePayloadHeader } from "../data/payload.ts";
import type { Population } from "../data/population.ts";
import type { Account, ConversationScan } from "../ledger/account.ts";
import { messageKey } from "../ledger/message-key.ts";
import type { LogRow } from "../ledger/types.ts";
import type { DeviceAccess } from "../worker/messages.ts";
import { BenchError } from "./bench-error.ts";
import { eachOf } from "./each-of.ts";
import type { HttpClient } from "./http-client.ts";

/**
 * After the run: reads every conversation back as one of its members would, and the lists of the members, and gives both
 * to the account. One conversation at a time per lane, so memory does not grow with the run.
 */
export interface ScanParts {
  readonly population: Population;
  readonly directory: Directory;
  readonly devices: readonly DeviceAccess[];
  readonly http: HttpClient;
  readonly account: Account;
  readonly run: number;
  readonly seed: number;
  /** Shares of the conversations whose log, and of the users whose lists are read. */
  readonly logShare: number;
  readonly listShare: number;
  readonly progress: (conversations: number, total: number) => void;
}

/** By conversation and member. A member that was asked and has no row of a conversation is not in it. */
interface Lists {
  readonly asked: ReadonlySet<number>;
  readonly rows: ReadonlyMap<number, ReadonlyMap<number, Registers>>;
}

const lanes = 8;
/** Only what is used; the rest of a page is checked by the ledger or by nobody. */
const pageAnswer = z.looseObject({ messages: z.array(z.custom<PageRow>()), has_more: z.boolean() });
const listAnswer = z.looseObject({
  conversations: z.array(z.looseObject({ conversation_id: z.string(), registers: z.custom<Registers>() })),
  next: z.string().optional(),
});

export async function scanLogs(parts: ScanParts): Promise<void> {
  const { population, account, seed, logShare, progress } = parts;
  const lists = await readLists(parts);
  const sample = seedFor(seed, "scan");
  const conversations = Array.from({ length: population.conversationCount }, (_, index) => index).filter(
    (conversation) => mixFloat(sample, conversation, 0) < logShare,
  );
  let done = 0;
  await eachOf(conversations, lanes, async (conversation) => {
    const rows = await readLog(parts, conversation);
    account.close(toScan(conversation, population.membersOf(conversation), rows, lists));
    progress(++done, conversations.length);
  });
}

async function readLists({ population, directory, devices, http, seed, listShare }: ScanParts): Promise<Lists> {
  const rows = new Map<number, Map<number, Registers>>();
  const sample = seedFor(seed, "lists");
  const users = Array.from({ length: population.users }, (_, index) => index).filter(
    (user) => mixFloat(sample, user, 0) < listShare,
  );
  await eachOf(users, lanes, async (member) => {
    const { token } = devices[population.deviceNumber(member, 1)] as DeviceAccess;
    let cursor = "";
    do {
      const path = `/api/conversations?limit=${limits.pageRowsMax}${cursor === "" ? "" : `&cursor=${cursor}`}`;
      const page = listAnswer.parse(await http.json({ method: "GET", path, token }));
      for (const { conversation_id: id, registers } of page.conversations) {
        const conversation = directory.conversationNumber(id);
        if (conversation === undefined) continue;
        const members = rows.get(conversation);
        if (members === undefined) rows.set(conversation, new Map([[member, registers]]));
        else members.set(member, registers);
      }
      cursor = page.next ?? "";
    } while (cursor !== "");
  });
  return { asked: new Set(users), rows };
}

async function readLog(parts: ScanParts, conversation: number): Promise<LogRow[]> {
  const { population, directory, devices, http } = parts;
  const reader = population.membersOf(conversation)[0] as number;
  const { token } = devices[population.deviceNumber(reader, 1)] as DeviceAccess;
  const id = directory.conversationId(conversation);
  const rows: LogRow[] = [];
  let before = Number.POSITIVE_INFINITY;
  for (;;) {
    const bound = before === Number.POSITIVE_INFINITY ? "" : `&before=${before}`;
    const path = `/api/conversations/${id}/messages?limit=${limits.pageRowsMax}${bound}`;
    const answer = await http.json({ method: "GET", path, token }).catch((error: unknown) => {
      // A conversation in which nobody has written does not exist yet.
      if (error instanceof BenchError && error.message.includes("no_such_conversation")) return undefined;
      throw error;
    });
    if (answer === undefined) return rows;
    const page = pageAnswer.parse(answer);
    for (const row of page.messages) if (!isVoid(row)) rows.push(toLogRow(parts, row));
    const first = page.messages[0];
    if (first === undefined || !page.has_more || first.seq <= 1 || first.seq >= before) return rows;
    before = first.seq;
  }
}

function toLogRow({ run, population, directory }: ScanParts, row: Exclude<PageRow, { kind: 0 }>): LogRow {
  const header = row.kind === kinds.text ? parsePayloadHeader(row.envelope) : undefined;
  const own = header !== undefined && header.run === run;
  const user = directory.userNumber(row.sender.user) ?? -1;
  // Who the server says has sent it must be who has: a row under another name is nobody's.
  const honest = own && population.userOfDevice(header.sender) === user;
  return {
    seq: row.seq,
    id: messageKey(row.message_id),
    sender: honest ? header.sender : `${row.sender.user} ${row.sender.device}`,
    user,
    n: own ? header.n : 0,
    countable: isCountable(row.kind),
  };
}

function toScan(
  conversation: number,
  members: readonly number[],
  rows: readonly LogRow[],
  lists: Lists,
): ConversationScan {
  const registersOf = lists.rows.get(conversation);
  return {
    conversation,
    rows,
    lists: members
      .filter((member) => lists.asked.has(member))
      .map((member) => ({ member, lastSeq: registersOf?.get(member)?.last_seq ?? 0 })),
    unread: [...(registersOf ?? [])].flatMap(([member, registers]) => {
      // With own rows in between the registers do not tell; clients count the rows then.
      const unread = unreadByRegisters(registers);
      const { read_seq: readSeq, last_seq: lastSeq } = registers;
      return unread === undefined ? [] : [{ member, readSeq, lastSeq, unread: unread.count }];
    }),
  };
}
