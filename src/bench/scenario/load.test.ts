import { describe, expect, test } from "vitest";
import { formatProblem } from "./problem.ts";
import { loadScenario } from "./load.ts";
import { operationNames } from "./operations.ts";
import type { Scenario } from "./schema.ts";

const sound = `version: 1
name: beats
description: do beats hold?
population: {users: 1k, contacts: 4, groups: [{members: 8, count: 10}]}
load:
  beat: {do: presence.heartbeat, executor: per-user-period, period: 30s, jitter: 10%}
  talk: {do: message.send, executor: constant-arrival-rate, rate: 200/s, arrival: poisson, users: {zipf: 1.1}}
  crowd: {do: group.send, executor: closed, in_flight: 4, members: 8}
phases: [{name: prepare, connect: 500/s}, {name: warmup, duration: 5s, record: false}, {name: steady, duration: 1m}, {name: drain, duration: 20s}]
thresholds: [{metric: "response{workload:beat}", p99: "< 50ms"}, {metric: "achieved_rate{workload:beat,phase:steady}", min: 99%}]
`;

function load(files: Record<string, string> | string, sets: string[] = []) {
  const all: Record<string, string> = typeof files === "string" ? { "s.yaml": files } : files;
  const read = (path: string): string => {
    const text = all[path];
    if (text === undefined) throw new Error("no such file");
    return text;
  };
  return loadScenario("s.yaml", read, { sets });
}

function scenarioOf(files: Record<string, string> | string, sets: string[] = []): Scenario {
  const loaded = load(files, sets);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join("\n"));
  return loaded.scenario;
}

function problemsOf(files: Record<string, string> | string, sets: string[] = []): string[] {
  const loaded = load(files, sets);
  return loaded.ok ? [] : loaded.problems.map(formatProblem);
}

function exactly(expected: string | RegExp): RegExp {
  return typeof expected === "string"
    ? new RegExp(`^${expected.replaceAll(/[$()*+.?[\]^{|}\\]/g, "\\$&")}$`)
    : expected;
}

test("a sound scenario is read with its units and defaults", () => {
  const scenario = scenarioOf(sound);
  expect(scenario).toMatchObject({
    name: "beats",
    seed: 42,
    target: { mode: "server" },
    population: { users: 1_000, devices: 1, contacts: 4, history: 0, groups: [{ members: 8, count: 10, history: 0 }] },
    phases: [
      { name: "warmup", durationMs: 5_000, record: false },
      { name: "steady", durationMs: 60_000, record: true },
    ],
    connectRate: 500,
    drainMs: 20_000,
    limits: { inFlightMax: 20_000, generatorCpuMax: 0.9 },
    verify: { log: 1, unread: 1 },
  });
  expect(scenario.workloads).toEqual([
    {
      name: "beat",
      do: "presence.heartbeat",
      options: {},
      when: { executor: "per-user-period", options: { period: 30_000, jitter: 0.1 } },
    },
    {
      name: "talk",
      do: "message.send",
      options: { size: { kind: "fixed", bytes: 200 }, to: { kind: "uniform" } },
      when: {
        executor: "constant-arrival-rate",
        options: { rate: 200, arrival: "poisson", users: { kind: "zipf", exponent: 1.1 } },
      },
    },
    {
      name: "crowd",
      do: "group.send",
      options: { members: 8, size: { kind: "fixed", bytes: 200 }, groups: { kind: "uniform" } },
      when: { executor: "closed", options: { in_flight: 4, users: { kind: "uniform" } } },
    },
  ]);
  expect(scenario.thresholds[0]).toEqual({
    selector: { name: "response", workload: "beat" },
    conditions: [{ statistic: "p99", comparison: { operator: "<", value: 50 }, text: "< 50ms" }],
  });
  expect(scenario.thresholds[1]?.conditions).toEqual([
    { statistic: "min", comparison: { operator: ">=", value: 0.99 }, text: "99%" },
  ]);
});

/** Takes the mark ^ out of a text and answers where it stood, as line:column. */
function marked(text: string): { text: string; place: string } {
  const before = text.slice(0, text.indexOf("^"));
  const lines = before.split("\n");
  return { text: text.replace("^", ""), place: `${lines.length}:${(lines.at(-1) as string).length + 1}` };
}

describe("a problem points at its line and column and says what was meant", () => {
  test.each([
    ["unknown key", "seed: 1\n^sede: 2", 'unknown key "sede" — did you mean "seed"?'],
    [
      "unknown key in a section",
      "limits: {^in_fligt: 5}",
      'unknown key "in_fligt" in limits — did you mean "in_flight"?',
    ],
    [
      "unknown key that resembles none",
      "verify: {^colour: 5}",
      'unknown key "colour" in verify (known: log, unread, presence)',
    ],
    ["wrong type", "seed: ^soon", "seed: expected a whole number from 0 to 4294967295"],
    ["too small", "seed: ^-1", "seed: expected a whole number from 0 to 4294967295"],
    [
      "bad unit",
      "limits: {start_lag_p99: ^20sec}",
      'limits.start_lag_p99: unknown duration unit "sec" (us, ms, s, m, h, d) — did you mean "20s"?',
    ],
    ["out of range", "limits: {generator_cpu: ^120%}", "limits.generator_cpu: must be between 0% and 100%"],
    ["unknown target", "target: {mode: ^shop}", 'target.mode: unknown target "shop" (server, store)'],
    ["unknown profile", "target: {profile: ^big}", 'target.profile: unknown profile "big" (embedded, cluster)'],
    ["list instead of a map", "verify: ^[]", "verify: expected a map"],
    ["nothing instead of a map", "verify:^", "verify: expected a map"],
  ])("%s", (_, line, expected) => {
    const { text, place } = marked(`${sound}${line}\n`);
    expect(problemsOf(text)).toEqual([`s.yaml:${place} ${expected}`]);
  });

  const names = operationNames.join(", ");
  test.each([
    [
      "presence.heartbeat",
      "^presence.heartbaet",
      `unknown operation "presence.heartbaet" (${names}) — did you mean "presence.heartbeat"?`,
    ],
    ["presence.heartbeat", "^storage", `unknown operation "storage" (${names})`],
    ["presence.heartbeat", "^presence.lookup", "load.beat: presence.lookup needs target.mode: store"],
    [
      "jitter: 10%",
      "client: ^bare",
      "load.beat.client: for target.mode: store; a server is spoken to over its sockets",
    ],
    [
      "jitter: 10%",
      "during: ^stedy",
      'load.beat.during: no phase "stedy" under load (warmup, steady) — did you mean "steady"?',
    ],
    ["jitter: 10%", "during: ^warmup", "load.beat.during: none of these phases is recorded"],
    ["jitter: 10%", "during: ^{}", "load.beat.during: expected the name of a phase, or a list of them"],
    [
      "response{workload:beat}",
      "^rate_ratio{workload:beat}",
      "thresholds[0].metric: rate_ratio compares two workloads (write rate_ratio{workload:ours,against:bare})",
    ],
    [
      "period: 30s",
      "period: ^30",
      'load.beat.period: duration 30 has no unit (us, ms, s, m, h, d) — did you mean "30s"?',
    ],
    [
      "period: 30s",
      "period: 30s, ^ratee: 5/s",
      'unknown key "ratee" in load.beat (known: period, jitter, client, mode, do, executor, during)',
    ],
    ["period: 30s", "period: 30s, ^jiter: 5%", 'unknown key "jiter" in load.beat — did you mean "jitter"?'],
    [
      "period: 30s",
      "period: 30s, ^rate: 5/s",
      'key "rate" belongs to constant-arrival-rate, this workload has per-user-period',
    ],
    ["beat: {", "beat: ^{", "missing: load.beat.period", "period: 30s, "],
    ["jitter: 10%", "jitter: ^60%", "load.beat.jitter: must be below 50%"],
    ["jitter: 10%", "^limit: 60", 'key "limit" belongs to history.page, this workload does presence.heartbeat'],
    [
      "beat: {",
      "beat: ^{",
      "missing: load.beat.executor (constant-arrival-rate, per-user-period, closed)",
      "executor: per-user-period, ",
    ],
    [
      "per-user-period",
      "^per_user_period",
      'unknown executor "per_user_period" (constant-arrival-rate, per-user-period, closed) — did you mean "per-user-period"?',
    ],
    [
      "{zipf: 1.1}",
      "^zipf",
      'load.talk.users: unknown selection "zipf" (uniform, latest, {zipf: 1.1} or {hotspot: {users: 1%, share: 90%}}) — did you mean "{zipf: 1.1}"?',
    ],
    [
      "executor: closed, in_flight: 4",
      "executor: ^per-user-period, period: 1s",
      "load.crowd: group.send runs with constant-arrival-rate or closed, not per-user-period",
    ],
    ["in_flight: 4", "in_flight: 4, ^users: uniform", 'key "users" does not fit group.send with closed'],
    ["arrival: poisson", "size: ^3MB", "load.talk.size: a text is at most 40kB"],
    [
      "arrival: poisson",
      "size: {weighted: {2k: ^1}}",
      'load.talk.size.weighted.2k: unknown size unit "k" (B, kB, MB, GB, KiB, MiB, GiB) — did you mean "2kB"?',
    ],
    [
      "response{workload:beat}",
      "^respnse",
      /^thresholds\[0\].metric: unknown metric "respnse".*did you mean "response"\?$/,
    ],
    [
      "response{workload:beat}",
      "^response{workload:beet}",
      'no workload "beet" (beat, talk, crowd) — did you mean "beat"?',
    ],
    [
      "response{workload:beat}",
      "^response{worker:beat}",
      'thresholds[0].metric: unknown label "worker" (workload, phase)',
    ],
    [
      'metric: "achieved_rate{workload:beat,phase:steady}", min: 99%',
      "metric: ^presence_left, max: 1s",
      "thresholds[1]: presence_left is measured where presence is checked (verify: {presence: 1%}, target.mode: server)",
    ],
    [
      "achieved_rate{workload:beat,phase:steady}",
      "^achieved_rate{phase:warmup}",
      'no recorded phase "warmup" (steady)',
    ],
    ["< 50ms", "^=< 50ms", 'thresholds[0].p99: unknown operator "=<" (<, <=, >, >=, ==) — did you mean "<= 50ms"?'],
    ["min: 99%", "p99: ^5", 'thresholds[1].p99: achieved_rate has no "p99" (min, max)'],
    [', p99: "< 50ms"', ', ^pp99: "< 50ms"', 'unknown key "pp99" in thresholds[0] — did you mean "p99"?'],
    [
      '{metric: "response',
      '^{metric: "response',
      /^thresholds\[0\]: a threshold compares something/,
      ', p99: "< 50ms"',
    ],
  ])("%s → %s", (from, to, expected, without = "") => {
    const { text, place } = marked(sound.replace(from, to).replace(without, ""));
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    const [at, message] = [problems[0]?.split(" ", 1)[0], problems[0]?.replace(/^\S+ /, "")];
    // A quoted text begins at its quote.
    const [line, column] = place.split(":").map(Number) as [number, number];
    const quoted = text.split("\n")[line - 1]?.[column - 2] === '"';
    expect(at).toBe(`s.yaml:${line}:${quoted ? column - 1 : column}`);
    expect(message).toMatch(exactly(expected));
  });
});

test("all problems are reported at once, in the order of the file", () => {
  const broken = sound
    .replace("name: beats", "nam: beats")
    .replace("period: 30s", "period: soon")
    .replace("members: 8}", "members: 1}")
    .replace("1m}", "1min}");
  expect(
    problemsOf(broken).map((problem) => problem.replace(/^s.yaml:(\d+):\d+ /, "$1 ").replace(/(:|").*/, "")),
  ).toEqual(["1 missing", "2 unknown key ", "6 load.beat.period", "8 load.crowd.members", "9 phases[2].duration"]);
});

test("parts that do not fit each other are explained", () => {
  expect(problemsOf(sound.replace("members: 8, count", "members: 9, count"))).toEqual([
    "s.yaml:8:68 load.crowd: no group has 8 members; there are groups of 9 in population.groups",
  ]);
  expect(problemsOf(sound.replace("contacts: 4, ", ""))).toEqual([
    "s.yaml:7:9 load.talk: message.send needs direct conversations; set population.contacts",
  ]);
  expect(problemsOf(sound.replace("users: 1k", "users: 4"))).toHaveLength(2);
});

describe("phases", () => {
  const withPhases = (phases: string): string =>
    sound.replace(/phases: .*/, `phases: ${phases}`).replace(/thresholds: .*/, "");
  test.each([
    ["[{name: steady, duration: 5s}, {name: prepare}]", "prepare must be the first phase"],
    ["[{name: drain}, {name: steady, duration: 5s}]", "drain must be the last phase"],
    ["[{name: steady}]", 'phase "steady" has no duration'],
    ["[{name: steady, duration: 5s, record: false}]", "none is recorded"],
    ["[{name: a, duration: 5s}, {name: a, duration: 5s}]", 'a second phase "a"'],
    ["[{name: a, duration: 5s, connect: 5/s}]", "connect belongs to the phase prepare"],
  ])("%s", (phases, expected) => expect(problemsOf(withPhases(phases)).join()).toContain(expected));

  test("preparing and draining need not be written", () => {
    expect(scenarioOf(withPhases("[{name: steady, duration: 5s}]"))).toMatchObject({
      connectRate: 1_000,
      drainMs: 10_000,
    });
  });
});

describe("extends", () => {
  test("overrides key by key, from a file beside it", () => {
    const scenario = scenarioOf({
      "s.yaml": "extends: base.yaml\nname: child\nload: {beat: {period: 10s}}",
      "base.yaml": sound,
    });
    expect(scenario.name).toBe("child");
    expect(scenario.workloads).toHaveLength(3);
    expect(scenario.workloads[0]?.when).toEqual({
      executor: "per-user-period",
      options: { period: 10_000, jitter: 0.1 },
    });
  });

  test("a problem names the file in which it is written", () => {
    const files = {
      "s.yaml": "extends: lib/base.yaml\nname: child\nload: {beat: {perio: 10s}}",
      "lib/base.yaml": sound.replace("1m}", "1min}"),
    };
    expect(problemsOf(files)).toEqual([
      'lib/base.yaml:9:113 phases[2].duration: unknown duration unit "min" (us, ms, s, m, h, d) — did you mean "1m"?',
      's.yaml:3:15 unknown key "perio" in load.beat — did you mean "period"?',
    ]);
  });

  test("circles and missing files are named", () => {
    expect(problemsOf({ "s.yaml": "extends: b.yaml", "b.yaml": "extends: s.yaml" }).join()).toContain(
      "s.yaml → b.yaml → s.yaml is a circle",
    );
    expect(problemsOf("extends: gone.yaml")).toEqual(["gone.yaml:1:1 cannot be read: no such file"]);
  });
});

describe("--set", () => {
  test("overrides values of any kind, into lists as well", () => {
    const scenario = scenarioOf(sound, [
      "load.beat.period=10s",
      "phases.2.duration=5s",
      "seed=7",
      "load.crowd.size={weighted: {100B: 1}}",
    ]);
    expect(scenario.seed).toBe(7);
    expect(scenario.phases[1]?.durationMs).toBe(5_000);
    expect(scenario.workloads[2]?.options).toMatchObject({ size: { kind: "weighted" } });
  });

  test("problems name the assignment", () => {
    expect(problemsOf(sound, ["load.beat.perio=10s"])).toEqual([
      '--set load.beat.perio=10s:1:1 unknown key "perio" in load.beat — did you mean "period"?',
    ]);
    expect(problemsOf(sound, ["phases.9.duration=5s"])[0]).toContain("no element 9 in a list of 4");
    expect(problemsOf(sound, ["seed"])[0]).toContain("write --set path=value");
  });
});

describe("files that are no scenario", () => {
  test.each([
    ["", "s.yaml:1:1 the file is empty"],
    ["- 1", "s.yaml:1:1 a scenario is a map of keys"],
    ["a: 1\na: 2", "s.yaml:2:1 Map keys must be unique"],
    ["a: &x 1\nb: *x", "s.yaml:2:4 aliases are not supported; use extends"],
    ["a: [1, 2", /^s\.yaml:1:9 /],
  ])("%j", (text, expected) => {
    const [first] = problemsOf(text);
    expect(first).toMatch(exactly(expected));
  });

  test("an empty map misses everything", () => {
    const problems = problemsOf("{}").map((problem) => problem.replace(/.*missing: /, ""));
    expect(problems).toEqual(["version", "name", "description", "population", "load", "phases"]);
  });
});

const onStores = `version: 1
name: ceilings
description: how fast is the store?
target: {mode: store}
population: {users: 400}
load:
  ours: {do: store.append, executor: closed, in_flight: 200, during: [one, three]}
  bare: {do: store.append, client: bare, executor: closed, in_flight: 200, during: two}
phases: [{name: one, duration: 5s}, {name: two, duration: 5s}, {name: three, duration: 5s}]
thresholds: [{metric: "rate_ratio{workload:ours,against:bare}", min: 90%}]
`;

describe("a scenario on the stores", () => {
  test("says which client each workload is and in which phases it runs", () => {
    const { target, workloads } = scenarioOf(onStores);
    expect(target.mode).toBe("store");
    expect(workloads).toMatchObject([
      { name: "ours", do: "store.append", options: { client: "adapter" }, during: ["one", "three"] },
      { name: "bare", do: "store.append", options: { client: "bare" }, during: ["two"] },
    ]);
  });

  test.each([
    ["{users: 400}", "{users: 400, contacts: 2}", "has users and history only"],
    ["store.append, executor", "message.send, executor", "load.ours: message.send needs target.mode: server"],
    ["client: bare", "client: raw", 'unknown client "raw" (adapter, bare)'],
    ["against:bare", "against:bear", 'no workload "bear" (ours, bare)'],
  ])("%s → %s is refused", (from, to, expected) => {
    expect(problemsOf(onStores.replace(from, to)).join("\n")).toContain(expected);
  });
});
