import { describe, expect, it } from "vitest";
import { storeNames } from "../versions.ts";
import { missingMessage } from "./missing-message.ts";

describe("missingMessage", () => {
  it("lists everything at once, with what is there, and a way for each kind of machine", () => {
    const missing = [
      { what: "java", found: "21, by JAVA_HOME=/opt/jdk" },
      { what: "mvn", found: "none" },
      { what: "redis-server", found: "6.2.7" },
      { what: "nginx", found: "none" },
    ] as const;
    const { message, fix } = missingMessage(missing, storeNames);
    expect(message).toContain("Java 17 (found: 21, by JAVA_HOME=/opt/jdk)");
    expect(message).toContain("redis-server 7.0 or later (found: 6.2.7)");
    expect(fix).toContain("sudo apt-get install openjdk-17-jre-headless maven redis-server nginx-light");
    expect(fix).toContain("brew install openjdk@17 maven redis nginx");
    expect(fix).toContain("docker compose up");
    expect(fix).toContain("msgr stack up --only postgres");
  });

  it("does not propose to leave out what was asked for alone", () => {
    const { fix } = missingMessage([{ what: "nginx", found: "none" }], ["nginx"]);
    expect(fix).not.toContain("--only");
    expect(fix).not.toContain("JAVA_HOME");
  });
});
