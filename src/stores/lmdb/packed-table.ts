import { Packr } from "msgpackr";
import type { DatabaseName, Table } from "./tables.ts";

// Plain maps instead of msgpackr's records: each value then describes itself and needs no table of structures beside it.
// Byte arrays are copied: they would otherwise be views of the buffer that the driver's next read overwrites.
const packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: "number", copyBuffers: true });

/** A table whose values are MessagePack maps: for everything that does not lie on the path of every message. */
export function packedTable<Value extends object>(name: DatabaseName): Table<Value> {
  return {
    name,
    encode: (value) => packr.pack(value),
    decode: (bytes) => packr.unpack(bytes) as Value,
  };
}
