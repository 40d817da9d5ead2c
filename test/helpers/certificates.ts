import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Whether this machine can make certificates: suites on TLS are left out otherwise. */
export const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** Files (PEM) of an authority that nobody knows yet, and of a server at `localhost` and 127.0.0.1 that it vouches for. */
export interface Certificates {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
  /** `key` and `certificate` in one file, and in a PKCS12 store with `keystorePassword`, as servers in Java take them. */
  readonly bundle: string;
  readonly keystore: string;
  /** Of a server with another name, vouched for by the same authority. */
  readonly elsewhere: { readonly certificate: string; readonly key: string };
}

export const keystorePassword = "keystore-password";

/** Makes them in that folder. */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string): string => path.join(folder, name);
  const openssl = (words: string): void =>
    void execFileSync("openssl", words.split(" "), { cwd: folder, stdio: "pipe" });
  const newKey = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  openssl(`req -x509 ${newKey} -keyout authority.key -out authority.pem -days 2 -subj /CN=msgr-test-authority`);
  const sign = (name: string, subject: string, names: string): void => {
    openssl(`req ${newKey} -keyout ${name}.key -out ${name}.csr -subj /CN=${subject}`);
    writeFileSync(file("names"), `subjectAltName=${names}\n`);
    const signed = "-CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -extfile names";
    openssl(`x509 -req -in ${name}.csr ${signed} -out ${name}.pem`);
  };
  sign("server", "localhost", "DNS:localhost,IP:127.0.0.1");
  sign("elsewhere", "elsewhere.example", "DNS:elsewhere.example");
  openssl(`pkcs12 -export -in server.pem -inkey server.key -out server.p12 -passout pass:${keystorePassword}`);
  writeFileSync(
    file("bundle.pem"),
    readFileSync(file("server.key"), "utf8") + readFileSync(file("server.pem"), "utf8"),
  );
  return {
    authority: file("authority.pem"),
    certificate: file("server.pem"),
    key: file("server.key"),
    bundle: file("bundle.pem"),
    keystore: file("server.p12"),
    elsewhere: { certificate: file("elsewhere.pem"), key: file("elsewhere.key") },
  };
}
