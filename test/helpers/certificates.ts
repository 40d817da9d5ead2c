import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";

/** Whether this machine can make certificates: suites on TLS are left out otherwise. */
export const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** Files (PEM) of an authority that nobody knows yet, and of a server at `localhost` and 127.0.0.1 that it vouches for. */
export interface Certificates {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes them in that folder. */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string): string => path.join(folder, name);
  const openssl = (words: string): void =>
    void execFileSync("openssl", words.split(" "), { cwd: folder, stdio: "pipe" });
  const newKey = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  openssl(`req -x509 ${newKey} -keyout authority.key -out authority.pem -days 2 -subj /CN=msgr-test-authority`);
  openssl(`req ${newKey} -keyout server.key -out server.csr -subj /CN=localhost`);
  writeFileSync(file("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  const signed = "-CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -extfile names";
  openssl(`x509 -req -in server.csr ${signed} -out server.pem`);
  return { authority: file("authority.pem"), certificate: file("server.pem"), key: file("server.key") };
}
