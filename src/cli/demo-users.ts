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
      const [alice, bob] = demoUsers;
      const login = ({ handle, password }: (typeof demoUsers)[number]): string =>
        `  echo ${password} | ${program} login ${handle} --server ${url}`;
      const lines = [
        "A server to play with. Not for production: demo passwords, no TLS, no backups.",
        `Data stays in ${dataDirectory}; delete the folder to start anew.`,
        "",
        "Two people, each in a terminal of their own:",
        login(alice),
        `  ${program} chat bob --as alice`,
        "",
        login(bob),
        `  ${program} chat alice --as bob`,
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
