import { describe, expect, it } from "vitest";
import { isAtLeast, parseJavaMajor, parseNginxVersion, parseRedisVersion } from "./tool-versions.ts";

describe("parseJavaMajor", () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17],
    ['java version "1.8.0_392"\nJava(TM) SE Runtime Environment', 8],
    ['openjdk version "21-ea" 2023-09-19', 21],
    ['openjdk version "11" 2018-09-25', 11],
    ['Picked up _JAVA_OPTIONS: -Xmx1G\nopenjdk version "17.0.1" 2021-10-19 LTS', 17],
    ["The operation couldn’t be completed. Unable to locate a Java Runtime.", undefined],
    ["", undefined],
  ])("%j is %s", (said, major) => {
    expect(parseJavaMajor(said)).toBe(major);
  });
});

describe("other programs", () => {
  it("say their versions in ways of their own", () => {
    expect(parseRedisVersion("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64")).toBe("7.0.15");
    expect(parseNginxVersion("nginx version: nginx/1.22.1")).toBe("1.22.1");
    expect(parseRedisVersion("command not found")).toBeUndefined();
  });

  it.each([
    ["7.0.15", "7.0", true],
    ["6.2.7", "7.0", false],
    ["10.1", "7.0", true],
    ["1.9.3", "1.20", false],
    ["7", "7.0", true],
  ])("%s is at least %s: %s", (version, least, answer) => {
    expect(isAtLeast(version, least)).toBe(answer);
  });
});
