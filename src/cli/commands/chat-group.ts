import { z } from "zod";
import { safeLine } from "../../base/safe-text.ts";
import { uuidField } from "../../protocol/fields.ts";
import { explaining } from "../accounts/explain-error.ts";
import { accountOptions } from "../accounts/options.ts";
import { formatGroup, GroupActions, groupDocument } from "../chat/group-actions.ts";
import { withChatAccount } from "../chat/open-chat.ts";
import type { GroupInfo } from "../../client/runtime/directory-api.ts";
import type { Command, CommandArgument, Invocation } from "../command.ts";

/** The commands about groups differ in their words and in one call: what they print is the group afterwards. */
interface GroupCommand extends Pick<Command, "summary" | "examples"> {
  readonly verb: string;
  readonly arguments: readonly CommandArgument[];
  readonly act: (groups: GroupActions, words: Words) => Promise<GroupInfo>;
}

type Words = (name: string) => readonly string[];

function groupCommand({ verb, act, ...rest }: GroupCommand): Command {
  return {
    name: `chat group ${verb}`,
    ...rest,
    options: accountOptions,
    output: { schema: groupDocument, lines: false },
    exits: ["configuration", "unreachable"],
    run: explaining((invocation) =>
      withChatAccount(invocation, async ({ api, names }) => {
        const groups = new GroupActions(api, names);
        const document = await groups.describe(await act(groups, wordsOf(invocation)));
        const online = invocation.output.json
          ? undefined
          : await api.online(document.members.map((each) => each.user_id));
        invocation.output.data(document, () => formatGroup(document, online));
        return "done";
      }),
    ),
  };
}

function wordsOf(invocation: Invocation): Words {
  return (name) => {
    const value = invocation.arguments[name];
    return value === undefined ? [] : typeof value === "string" ? [value] : value;
  };
}

const groupArgument: CommandArgument = { name: "group", description: "its name or its id", required: true };
const peopleArgument: CommandArgument = {
  name: "people",
  description: "@handles or ids",
  required: true,
  variadic: true,
};

export const chatGroupCreateCommand = groupCommand({
  verb: "create",
  summary: "Make a group; you become its owner",
  arguments: [
    { name: "name", description: "what it is called", required: true },
    { ...peopleArgument, required: false },
  ],
  examples: [
    { command: "msgr chat group create Builds @bob @carol", what: "A group of three" },
    { command: 'msgr chat group create "Release 2" --json', what: "With yourself as its only member; prints its id" },
  ],
  act: (groups, words) => groups.create(words("name")[0] ?? "", words("people")),
});

export const chatGroupAddCommand = groupCommand({
  verb: "add",
  summary: "Add people to a group",
  arguments: [groupArgument, peopleArgument],
  examples: [
    { command: "msgr chat group add Builds @dave", what: "One more" },
    { command: "msgr chat group add Builds @dave @erin --json", what: "Two, for a script" },
  ],
  act: async (groups, words) => groups.add(await idOf(groups, words), words("people")),
});

export const chatGroupRemoveCommand = groupCommand({
  verb: "remove",
  summary: "Remove people from a group",
  arguments: [groupArgument, peopleArgument],
  examples: [
    { command: "msgr chat group remove Builds @dave", what: "They keep what they have read" },
    { command: "msgr chat group remove Builds @dave @erin", what: "Two of them" },
  ],
  act: async (groups, words) => groups.remove(await idOf(groups, words), words("people")),
});

export const chatGroupRenameCommand = groupCommand({
  verb: "rename",
  summary: "Rename a group",
  arguments: [groupArgument, { name: "name", description: "its new name", required: true }],
  examples: [
    { command: 'msgr chat group rename Builds "Builds and tests"', what: "Everyone sees the new name" },
    { command: "msgr chat group rename Builds CI --json", what: "For a script" },
  ],
  act: async (groups, words) => groups.rename(await idOf(groups, words), words("name")[0] ?? ""),
});

export const chatGroupInfoCommand = groupCommand({
  verb: "info",
  summary: "Show a group and its members",
  arguments: [groupArgument],
  examples: [
    { command: "msgr chat group info Builds", what: "Who is in it, and who is online" },
    { command: "msgr chat group info Builds --json", what: "With ids and roles" },
  ],
  act: async (groups, words) => groups.info(await idOf(groups, words)),
});

/** Afterwards there is no group to show to the one who left. */
export const chatGroupLeaveCommand: Command = {
  name: "chat group leave",
  summary: "Leave a group",
  arguments: [groupArgument],
  options: accountOptions,
  examples: [
    { command: "msgr chat group leave Builds", what: "What you have read stays yours" },
    { command: "msgr chat group leave Builds --as carol", what: "As another account" },
  ],
  output: { schema: z.object({ left: uuidField }), lines: false },
  exits: ["configuration", "unreachable"],
  run: explaining((invocation) =>
    withChatAccount(invocation, async ({ api, names }) => {
      const groups = new GroupActions(api, names);
      const { conversationId, label } = await groups.find(wordsOf(invocation)("group")[0] ?? "");
      await groups.leave(conversationId);
      invocation.output.data({ left: conversationId }, () => `Left ${safeLine(label)}`);
      return "done";
    }),
  ),
};

async function idOf(groups: GroupActions, words: Words): Promise<string> {
  return (await groups.find(words("group")[0] ?? "")).conversationId;
}
