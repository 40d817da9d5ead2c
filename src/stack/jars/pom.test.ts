import { describe, expect, it } from "vitest";
import { mavenArguments } from "./fetch-jars.ts";
import { mavenError } from "./maven-error.ts";
import { jarFolderName, pomOf } from "./pom.ts";

describe("pomOf", () => {
  it("asks for exact versions", () => {
    expect(pomOf("cassandra")).toContain(
      "<groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId><version>5.0.6</version>",
    );
    expect(pomOf("kafka")).toContain("<artifactId>log4j-slf4j-impl</artifactId>");
    expect(pomOf("s3")).toContain("<artifactId>s3proxy</artifactId>");
  });

  it("gives every store a folder that is named after version and content", () => {
    expect(jarFolderName("cassandra")).toMatch(/^cassandra-5\.0\.6-[0-9a-f]{12}$/);
    expect(jarFolderName("s3")).not.toBe(jarFolderName("kafka"));
  });
});

describe("mavenArguments", () => {
  it("asks nothing, pins the plugin and copies what a program needs to run", () => {
    const words = mavenArguments("a/pom.xml", "a");
    expect(words).toContain("--batch-mode");
    expect(words).toContain("-DincludeScope=runtime");
    expect(words.some((word) => /maven-dependency-plugin:\d+\.\d+\.\d+:copy-dependencies$/.test(word))).toBe(true);
  });
});

describe("mavenError", () => {
  it.each([
    ["[ERROR] Could not transfer artifact x: repo.example: Name or service not known", "unreachable"],
    ["[ERROR] Cannot access central in offline mode and the artifact x has not been downloaded", "unreachable"],
    ["[ERROR] Failed to execute goal: No space left on device", "failed"],
    ["The JAVA_HOME environment variable is not defined correctly", "configuration"],
    ["[ERROR] Could not find artifact org.example:x:jar:1 in central", "failed"],
    ["", "failed"],
  ])("%j is %s", (said, reason) => {
    const error = mavenError("kafka", said, "/cache");
    expect(error.reason).toBe(reason);
    expect(error.fix).not.toBe("");
  });

  it("quotes the first error without colours", () => {
    const said = "[INFO] ok\n[\u001b[1;31mERROR\u001b[m] Failed to execute goal\n[ERROR] second";
    expect(mavenError("s3", said, "/cache").message).toContain("Failed to execute goal");
  });
});
