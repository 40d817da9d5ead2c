import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import { registry } from "../../src/cli/registry.ts";
import { runCli, temporaryFolder } from "../helpers/server-process.ts";

describe("every command", () => {
  test.each(registry.map((entry) => [entry.name, entry] as const))("%s is described", async (name, entry) => {
    const command = await entry.load();
    expect(command.name).toBe(name);
    expect(command.summary).toBe(entry.summary);
    expect(command.examples.length).toBeGreaterThanOrEqual(2);
    for (const example of command.examples) expect(example.command).toContain(`msgr ${name}`);
    for (const exit of command.exits) expect(Object.keys(exitCodes)).toContain(exit);
  });
});

describe("the command line", () => {
  test("--version prints the version and nothing else", async () => {
    const { code, stdout, stderr } = await runCli(["--version"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("--help lists every command on stdout; a command's help has examples and exit codes", async () => {
    const { code, stdout } = await runCli(["--help"]);
    expect(code).toBe(0);
    for (const { name } of registry) expect(stdout).toContain(name.split(" ")[0]);
    const serve = await runCli(["serve", "--help"]);
    expect([serve.code, serve.stdout.includes("Examples:"), serve.stdout.includes("Exit codes:")]).toEqual([
      0,
      true,
      true,
    ]);
  });

  test("nothing at all shows the help", async () => {
    const { stdout, stderr } = await runCli([]);
    expect(stdout + stderr).toContain("Usage: msgr");
  });

  test.each([
    [["serv"], "serve"],
    [["config", "shwo"], "show"],
    [["serve", "--prot", "1"], "--port"],
  ])("%j is wrong usage, and the right word is named on stderr", async (words, right) => {
    const { code, stdout, stderr } = await runCli(words);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(right);
  });

  test("with --json stdout parses even when the usage or the configuration is wrong", async () => {
    const usage = await runCli(["serve", "--no-such", "--json"]);
    expect([usage.code, JSON.parse(usage.stdout)]).toMatchObject([2, { error: { exit: 2 } }]);
    const config = await runCli(["config", "show", "--json"], { env: { MSGR_HTTP__PORT: "x" } });
    expect([config.code, JSON.parse(config.stdout)]).toMatchObject([3, { error: { exit: 3 } }]);
    const before = await runCli(["--json", "config", "check"]);
    expect([before.code, JSON.parse(before.stdout)]).toEqual([0, { ok: true }]);
  });

  test("config show says where values come from, from a file with line and column", async () => {
    using folder = temporaryFolder();
    writeFileSync(`${folder.path}/msgr.yaml`, "# team\nhttp:\n  port: 9001\n");
    const { code, stdout } = await runCli(["config", "show", "--origin", "--json"], { cwd: folder.path });
    expect(code).toBe(0);
    const { settings } = JSON.parse(stdout) as { settings: { path: string; value: unknown; origin: string }[] };
    expect(settings).toContainEqual({ path: "http.port", value: 9001, origin: "msgr.yaml:3:3" });
    const port = settings.find(({ path }) => path === "http.host");
    expect(port?.origin).toBe("default");
  });

  test("config check names each mistake with its place and the fix; a named file has to exist", async () => {
    using folder = temporaryFolder();
    writeFileSync(`${folder.path}/wrong.yaml`, "htpp:\n  port: 1\nlog:\n  level: loud\n");
    const wrong = await runCli(["config", "check", "--config", "wrong.yaml"], { cwd: folder.path });
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain("wrong.yaml:1:1: unknown setting htpp");
    expect(wrong.stderr).toContain("Did you mean http?");
    const missing = await runCli(["config", "check", "--config", "absent.yaml"], { cwd: folder.path });
    expect([missing.code, missing.stderr.includes("absent.yaml")]).toEqual([3, true]);
  });

  test("a stack is shown only with DEBUG=msgr", async () => {
    using folder = temporaryFolder();
    writeFileSync(`${folder.path}/file`, "");
    const words = ["serve", "--data", `${folder.path}/file`, "--port", "0"];
    expect((await runCli(words)).stderr).not.toContain("    at ");
    expect((await runCli(words, { env: { DEBUG: "msgr" } })).stderr).toContain("    at ");
  });
});
