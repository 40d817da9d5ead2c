import type { Command } from "./command.ts";

/** Every command: enough for the overview, and where the rest of it is. Loading one loads no other. */
export interface RegistryEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

export const registry: readonly RegistryEntry[] = [
  {
    name: "serve",
    summary: "Run the server",
    load: async () => (await import("./commands/serve.ts")).serveCommand,
  },
  {
    name: "register",
    summary: "Make an account on a server and log this machine in",
    load: async () => (await import("./commands/register.ts")).registerCommand,
  },
  {
    name: "login",
    summary: "Log this machine in to an account",
    load: async () => (await import("./commands/login.ts")).loginCommand,
  },
  {
    name: "logout",
    summary: "End the session of an account on this machine",
    load: async () => (await import("./commands/logout.ts")).logoutCommand,
  },
  {
    name: "whoami",
    summary: "Say which account commands act as, and which others there are",
    load: async () => (await import("./commands/whoami.ts")).whoamiCommand,
  },
  {
    name: "chat",
    summary: "Chat line by line",
    load: async () => (await import("./commands/chat.ts")).chatCommand,
  },
  {
    name: "chat send",
    summary: "Send one message",
    load: async () => (await import("./commands/chat-send.ts")).chatSendCommand,
  },
  {
    name: "chat tail",
    summary: "Print messages as they arrive",
    load: async () => (await import("./commands/chat-tail.ts")).chatTailCommand,
  },
  {
    name: "chat history",
    summary: "Print messages of a chat, oldest first",
    load: async () => (await import("./commands/chat-history.ts")).chatHistoryCommand,
  },
  {
    name: "chat chats",
    summary: "List your chats, most recent first, with what is unread",
    load: async () => (await import("./commands/chat-chats.ts")).chatChatsCommand,
  },
  {
    name: "chat group create",
    summary: "Make a group; you become its owner",
    load: async () => (await import("./commands/chat-group.ts")).chatGroupCreateCommand,
  },
  {
    name: "chat group add",
    summary: "Add people to a group",
    load: async () => (await import("./commands/chat-group.ts")).chatGroupAddCommand,
  },
  {
    name: "chat group remove",
    summary: "Remove people from a group",
    load: async () => (await import("./commands/chat-group.ts")).chatGroupRemoveCommand,
  },
  {
    name: "chat group leave",
    summary: "Leave a group",
    load: async () => (await import("./commands/chat-group.ts")).chatGroupLeaveCommand,
  },
  {
    name: "chat group rename",
    summary: "Rename a group",
    load: async () => (await import("./commands/chat-group.ts")).chatGroupRenameCommand,
  },
  {
    name: "chat group info",
    summary: "Show a group and its members",
    load: async () => (await import("./commands/chat-group.ts")).chatGroupInfoCommand,
  },
  {
    name: "bench",
    summary: "Put a server under the load of a scenario and prove that nothing was lost",
    load: async () => (await import("./commands/bench.ts")).benchCommand,
  },
  {
    name: "bench plan",
    summary: "Say what a scenario would ask for: rates, connections, workers, memory, time",
    load: async () => (await import("./commands/bench-plan.ts")).benchPlanCommand,
  },
  {
    name: "bench list",
    summary: "List the scenarios that come with msgr",
    load: async () => (await import("./commands/bench-list.ts")).benchListCommand,
  },
  {
    name: "bench report",
    summary: "Print the summary of an earlier run again",
    load: async () => (await import("./commands/bench-report.ts")).benchReportCommand,
  },
  {
    name: "doctor",
    summary: "Look at this machine, the stores and the server, and say what to mend and how",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand,
  },
  {
    name: "migrate up",
    summary: "Apply the migrations that the stores lack",
    load: async () => (await import("./commands/migrate-up.ts")).migrateUpCommand,
  },
  {
    name: "migrate status",
    summary: "List every migration: applied, begun, pending, changed or newer than this version",
    load: async () => (await import("./commands/migrate-status.ts")).migrateStatusCommand,
  },
  {
    name: "migrate plan",
    summary: "Print every statement that `migrate up` would run, with its lock and whether it destroys data",
    load: async () => (await import("./commands/migrate-plan.ts")).migratePlanCommand,
  },
  {
    name: "migrate verify",
    summary: "Check that applied files are unchanged and that what they promise still holds",
    load: async () => (await import("./commands/migrate-verify.ts")).migrateVerifyCommand,
  },
  {
    name: "migrate lint",
    summary: "Say what is dangerous in the migration files, without any store",
    load: async () => (await import("./commands/migrate-lint.ts")).migrateLintCommand,
  },
  {
    name: "migrate create",
    summary: "Write the next migration file, with a table to begin from",
    load: async () => (await import("./commands/migrate-create.ts")).migrateCreateCommand,
  },
  {
    name: "migrate repair",
    summary: "Show which applied files have changed, and take one as it is now",
    load: async () => (await import("./commands/migrate-repair.ts")).migrateRepairCommand,
  },
  {
    name: "migrate drift",
    summary: "Compare the live schemas with what their migrations make anew",
    load: async () => (await import("./commands/migrate-drift.ts")).migrateDriftCommand,
  },
  {
    name: "migrate wait",
    summary: "Wait until nothing is pending: for deployments where another job migrates",
    load: async () => (await import("./commands/migrate-wait.ts")).migrateWaitCommand,
  },
  {
    name: "migrate unlock",
    summary: "Show who holds the locks, and take one away",
    load: async () => (await import("./commands/migrate-unlock.ts")).migrateUnlockCommand,
  },
  {
    name: "migrate history",
    summary: "Print what was done to the schemas, by whom and when, oldest first",
    load: async () => (await import("./commands/migrate-history.ts")).migrateHistoryCommand,
  },
  {
    name: "config show",
    summary: "Print every setting of the server and where its value came from",
    load: async () => (await import("./commands/config-show.ts")).configShowCommand,
  },
  {
    name: "config check",
    summary: "Say what is wrong with the configuration of the server, if anything",
    load: async () => (await import("./commands/config-check.ts")).configCheckCommand,
  },
  {
    name: "stack up",
    summary: "Start the real stores on this machine, and servers on them, without Docker",
    load: async () => (await import("./commands/stack-up.ts")).stackUpCommand,
  },
  {
    name: "stack status",
    summary: "Say what of the stack runs, where, and what it takes",
    load: async () => (await import("./commands/stack-status.ts")).stackStatusCommand,
  },
  {
    name: "stack logs",
    summary: "Print the last lines of the stores' logs",
    load: async () => (await import("./commands/stack-logs.ts")).stackLogsCommand,
  },
  {
    name: "stack down",
    summary: "Stop the servers and the stores; their data stays",
    load: async () => (await import("./commands/stack-down.ts")).stackDownCommand,
  },
  {
    name: "stack reset",
    summary: "Stop the stores and delete their data",
    load: async () => (await import("./commands/stack-reset.ts")).stackResetCommand,
  },
];

/** Options with a value that may stand before the name of a command, or between its words. */
export const leadingValueFlags: ReadonlySet<string> = new Set(["--as", "--server"]);

/** Summaries of the first words that have commands below them. */
export const groupSummaries: Readonly<Record<string, string>> = {
  config: "The server's configuration",
  migrate: "The schemas of the stores: bring them up to date, and look at them",
  stack: "The real stores on this machine",
  "chat group": "Groups: make, change, leave",
};
