// `npm run docs:tables`: docs-tables.ts is TypeScript, as what it prints is; this brings it onto a Node that runs that.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const { withPinnedNode } = createRequire(import.meta.url)("../bin/pinned-node.js");

withPinnedNode(fileURLToPath(import.meta.url), async () => {
  const { writeDocuments } = await import("./docs-tables.ts");
  writeDocuments();
});
