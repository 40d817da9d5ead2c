import { configSchema } from "../server/config/config-schema.ts";
import type { ServerContext } from "../server/context-types.ts";
import { WireError } from "../protocol/wire-errors.ts";

/** The two people of `serve --dev`. Their passwords are no secrets: they are printed. */
const demoUsers = [
  { handle: "alice", displayName: "Alice", password: "alice-demo" },
  { handle: "bob", displayName: "Bob", password: "bob-demo" },
] as const;

export interface DemoUsers {
  /** What to type next, and what not to rely on. */
  box(place: { url: string; dataDirectory: string; program: string; columns: number }): string;
}

/** Makes them if the data folder does not have them yet. */
export async function makeDemoUsers({
  accounts,
  ports,
}: Pick<ServerContext, "accounts" | "ports">): Promise<DemoUsers> {
  await Promise.all(
    demoUsers.map(async (user) => {
      // Asked first: a hash takes longer than the rest of the start.
      if ((await ports.users.byHandle(user.handle)) !== undefined) return;
      try {
        await accounts.register({ ...user, deviceName: "demo", address: "demo" });
      } catch (error) {
        if (!(error instanceof WireError && error.code === "handle_taken")) throw error;
      }
    }),
  );
  return {
    box({ url, dataDirectory, program, columns }) {
      // Accounts of this machine have names: with the port, those of several such servers do not meet.
      const { port } = new URL(url);
      const isUsual = Number(port) === configSchema.shape.http.parse({}).port;
      const nameOf = (handle: string): string => (isUsual ? handle : `${handle}-${port}`);
      const talk = ({ handle, password }: (typeof demoUsers)[number], peer: string): readonly string[] => [
        `  echo ${password} | ${program} login ${handle} --server ${url}${isUsual ? "" : ` --as ${nameOf(handle)}`}`,
        `  ${program} chat @${peer} --as ${nameOf(handle)}`,
      ];
      const [alice, bob] = demoUsers;
      const lines = [
        "A server to play with. Not for production: demo passwords, no TLS, no backups.",
        `Data stays in ${dataDirectory}; delete the folder to start anew.`,
        "",
        "Two people, each in a terminal of their own:",
        ...talk(alice, bob.handle),
        "",
        ...talk(bob, alice.handle),
      ];
      return drawBox(lines, columns);
    },
  };
}

function drawBox(lines: readonly string[], columns: number): string {
  const width = Math.max(...lines.map((line) => line.length));
  // Lines that are to be copied must not be broken: where they do not fit, no frame.
  if (width + 4 > columns) return lines.join("\n");
  const rule = "─".repeat(width + 2);
  return [`┌${rule}┐`, ...lines.map((line) => `│ ${line.padEnd(width)} │`), `└${rule}┘`].join("\n");
}
