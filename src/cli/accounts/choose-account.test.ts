import { describe, expect, it } from "vitest";
import type { Account, AccountFile } from "./account-file.ts";
import { chooseAccount, nameForLogin } from "./choose-account.ts";

const here = "http://127.0.0.1:8080";
const there = "https://chat.example.com";
const account = (handle: string, server: string): Account => ({
  server,
  handle,
  user_id: "01900000-0000-7000-8000-000000000001",
  device: 1,
});

const file: AccountFile = {
  version: 1,
  current: "ann",
  accounts: { ann: account("ann", here), bob: account("bob", here), work: account("ann", there) },
};

describe("chooseAccount", () => {
  it("takes the named account, else the current one", () => {
    expect(chooseAccount(file, { as: "bob" }).account.handle).toBe("bob");
    expect(chooseAccount(file, {}).name).toBe("ann");
  });

  it("never acts on one server with an account of another", () => {
    expect(chooseAccount(file, { server: there }).name).toBe("work");
    expect(() => chooseAccount(file, { as: "ann", server: there })).toThrow("is an account of");
    expect(() => chooseAccount(file, { server: "http://127.0.0.1:1" })).toThrow("No account of this machine");
  });

  it("asks rather than guesses, and takes the only one there is", () => {
    const { current: _gone, ...rest } = file;
    expect(() => chooseAccount(rest, {})).toThrow("not clear which");
    expect(chooseAccount({ version: 1, accounts: { bob: account("bob", here) } }, {}).name).toBe("bob");
    expect(() => chooseAccount({ version: 1, accounts: {} }, {})).toThrow("Nobody is logged in");
  });

  it.each(["__proto__", "constructor", "toString"])("knows no account %s that nobody made", (as) => {
    expect(() => chooseAccount(file, { as })).toThrow("There is no account");
  });
});

describe("nameForLogin", () => {
  it("is the handle; with the host when another server's account has it", () => {
    expect(nameForLogin(file, { handle: "carol", server: here })).toBe("carol");
    expect(nameForLogin(file, { handle: "Ann", server: here })).toBe("Ann");
    expect(nameForLogin(file, { handle: "ann", server: there })).toBe("ann@chat.example.com");
  });

  it("never replaces somebody else's tokens", () => {
    expect(nameForLogin(file, { handle: "ann", server: there, as: "work" })).toBe("work");
    expect(() => nameForLogin(file, { handle: "carol", server: there, as: "work" })).toThrow("already @ann");
    expect(() => nameForLogin(file, { handle: "carol", server: here, as: "__proto__" })).toThrow("cannot be the name");
  });
});
