// Uploads one object into the folder of the first argument, of as many bytes as the second says, and prints what came of it.
import { readdirSync } from "node:fs";
import { Readable } from "node:stream";
import { createSystemRandom } from "../../../src/base/random.ts";
import { WireError } from "../../../src/protocol/wire-errors.ts";
import { openFilesystemMedia } from "../../../src/stores/filesystem/media.ts";

const [folder = "", size = ""] = process.argv.slice(2);
const sizeBytes = Number(size);
const media = await openFilesystemMedia(folder, { random: createSystemRandom(), freeBytes: () => Infinity });
const grant = { action: "write", name: "0".repeat(32), part: 0, sizeBytes } as const;
const pieces = Array.from({ length: sizeBytes / 1_000 }, () => Buffer.alloc(1_000, 7));
const said = await media.write(grant, Readable.from(pieces)).catch((error: unknown) => error);
const outcome = said instanceof WireError ? said.code : typeof said === "string" ? "written" : String(said);
process.stdout.write(JSON.stringify({ outcome, left: readdirSync(`${folder}/incoming`) }));
