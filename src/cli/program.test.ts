import { describe, expect, it } from "vitest";
import { findEntry } from "./program.ts";
import { registry } from "./registry.ts";

const found = (line: string) => {
  const result = findEntry(registry, line.split(" "));
  return [result?.entry.name, result?.argv.join(" ")];
};

describe("findEntry", () => {
  it.each([
    ["chat @bob", "chat", "chat @bob"],
    ["chat send @bob hi", "chat send", "chat send @bob hi"],
    ["chat group add Team @bob", "chat group add", "chat group add Team @bob"],
    ["--json chat --as send history @bob", "chat history", "chat history --json --as send @bob"],
    ["chat --server http://x:1 bob", "chat", "chat --server http://x:1 bob"],
    ["config -v show --json", "config show", "config show -v --json"],
  ])("%s means %s", (line, name, argv) => {
    expect(found(line)).toEqual([name, argv]);
  });

  it("knows nothing of what is not there", () => {
    expect(found("chta @bob")).toEqual([undefined, undefined]);
    expect(found("--json -- chat")).toEqual([undefined, undefined]);
  });
});

describe("every command", () => {
  it.each(registry.map((entry) => [entry.name, entry] as const))(
    "%s is described for help, docs and scripts",
    async (name, entry) => {
      const command = await entry.load();
      expect(command).toMatchObject({ name, summary: entry.summary });
      expect(command.examples.length).toBeGreaterThanOrEqual(2);
      for (const example of command.examples) expect(example.command).toContain(`msgr ${name}`);
    },
  );
});
