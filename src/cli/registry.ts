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
    name: "config show",
    summary: "Print every setting of the server and where its value came from",
    load: async () => (await import("./commands/config-show.ts")).configShowCommand,
  },
  {
    name: "config check",
    summary: "Say what is wrong with the configuration of the server, if anything",
    load: async () => (await import("./commands/config-check.ts")).configCheckCommand,
  },
];

/** Summaries of the first words that have commands below them. */
export const groupSummaries: Readonly<Record<string, string>> = {
  config: "The server's configuration",
};
