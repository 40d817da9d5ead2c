import { describe, expect, test } from "vitest";
import { collectEntries, type ConfigSources } from "./collect-entries.ts";
import { environmentName, settings } from "./config-schema.ts";
import { describeConfig, resolveConfig } from "./resolve-config.ts";

const nothing: ConfigSources = { flags: [], environment: {}, dotenv: {}, files: [], fallbacks: [] };

function resolve(sources: Partial<ConfigSources>) {
  return resolveConfig(collectEntries({ ...nothing, ...sources }));
}

function problemsOf(sources: Partial<ConfigSources>) {
  const resolved = resolve(sources);
  if (!("problems" in resolved)) throw new Error("expected problems");
  return resolved.problems;
}

function portOf(sources: Partial<ConfigSources>): readonly [number, string | undefined] {
  const resolved = resolve(sources);
  if ("problems" in resolved) throw new Error(JSON.stringify(resolved.problems));
  return [resolved.config.http.port, resolved.origins.get("http.port")];
}

describe("configuration", () => {
  test("each source wins over the ones after it, and says where the value came from", () => {
    const layers: Partial<ConfigSources>[] = [
      { flags: [{ path: "http.port", value: 1, origin: "--port" }] },
      { environment: { MSGR_HTTP__PORT: "2" } },
      { dotenv: { MSGR_HTTP__PORT: "3" } },
      { files: [{ name: "./msgr.yaml", text: "http:\n  port: 4\n" }] },
      { fallbacks: [{ path: "http.port", value: 5, origin: "--dev" }] },
    ];
    const answers = layers.map((_, from) => portOf(Object.assign({}, ...layers.slice(from)) as Partial<ConfigSources>));
    expect(answers).toEqual([
      [1, "--port"],
      [2, "MSGR_HTTP__PORT"],
      [3, ".env: MSGR_HTTP__PORT"],
      [4, "./msgr.yaml:2:3"],
      [5, "--dev"],
    ]);
    expect(portOf({})).toEqual([8080, undefined]);
  });

  test("of two files the first wins, setting by setting", () => {
    const files = [
      { name: "here", text: "http: {port: 1}" },
      { name: "user", text: "http: {port: 2, host: '::1'}" },
    ];
    const resolved = resolve({ files });
    expect(resolved).toMatchObject({ config: { http: { port: 1, host: "::1" } } });
  });

  test.each<[string, Partial<ConfigSources>, object]>([
    [
      "a variable",
      { environment: { MSGR_HTTP__PROT: "1" } },
      { where: "MSGR_HTTP__PROT", fix: "Did you mean MSGR_HTTP__PORT?" },
    ],
    [
      "a key",
      { files: [{ name: "f", text: "http:\n  port: 1\n  hots: x\n" }] },
      { where: "f:3:3", fix: "Did you mean host?" },
    ],
    [
      "a section",
      { files: [{ name: "f", text: "htpp:\n  port: 1\n" }] },
      { where: "f:1:1", fix: "Did you mean http?" },
    ],
  ])("%s that nobody knows is named with its place and a guess", (_name, sources, expected) => {
    expect(problemsOf(sources)).toEqual([expect.objectContaining(expected)]);
  });

  test("a key given twice and a text that is no YAML are named with their line", () => {
    const [twice] = problemsOf({ files: [{ name: "f", text: "http:\n  port: 1\n  port: 2\n" }] });
    expect(twice?.where).toBe("f:3:3");
    const [broken] = problemsOf({ files: [{ name: "f", text: "http: [\n" }] });
    expect(broken?.where).toMatch(/^f:\d+:\d+$/);
  });

  test("what platforms inject for a service called msgr is not read", () => {
    const environment = { MSGR_PORT: "tcp://10.0.0.1:80", MSGR_SERVICE_HOST: "10.0.0.1", MSGR_PORT_8080_TCP_ADDR: "x" };
    expect(portOf({ environment })).toEqual([8080, undefined]);
  });

  test.each([
    ["MSGR_HTTP__PORT", "eighty"],
    ["MSGR_HTTP__PORT", "70000"],
    ["MSGR_ADMIN__ENABLED", "yes"],
    ["MSGR_LIMITS__PRESET", "none"],
    ["MSGR_ADMIN__TOKEN", "short"],
  ])("%s=%s is refused, and the problem names the variable", (name, value) => {
    expect(problemsOf({ environment: { [name]: value } })).toEqual([expect.objectContaining({ where: name })]);
  });

  test("every problem is told at once", () => {
    expect(
      problemsOf({ environment: { MSGR_HTTP__PORT: "x", MSGR_LOG__LEVEL: "loud", MSGR_NO__SUCH: "1" } }),
    ).toHaveLength(3);
  });

  test("secrets are masked where the configuration is shown", () => {
    const resolved = resolve({ environment: { MSGR_ADMIN__TOKEN: "a long enough secret" } });
    if ("problems" in resolved) throw new Error("unexpected");
    expect(JSON.stringify(describeConfig(resolved))).not.toContain("long enough");
    expect(describeConfig(resolved)).toContainEqual({ path: "admin.token", value: "***", origin: "MSGR_ADMIN__TOKEN" });
  });

  test("every setting has a description and a variable of its own", () => {
    expect(settings.every((setting) => setting.description.length > 0)).toBe(true);
    expect(new Set(settings.map((setting) => environmentName(setting.path))).size).toBe(settings.length);
  });
});
