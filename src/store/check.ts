// The bounds of a request: what no engine sends is refused before it costs memory.
import { StoreError } from "../errors.ts";
import { FOREVER } from "./contract.ts";

const MAX_ITEMS = 1_024;
const MAX_CHARS = 131_072;
const MAX_VALUE_BYTES = 64 * 1_048_576;

/**
 * Throws a StoreError unless all strings of the request have together at most 131,072 UTF-16 code units, each list at
 * most 1,024 items, each number is from 0 to FOREVER, and bytes are at most 64 MiB. Its shape is the transport's matter.
 */
export function checkBounds(request: object): void {
  let left = MAX_CHARS;
  const ok = (value: unknown): boolean => {
    if (typeof value === "string") return (left -= value.length) >= 0;
    if (typeof value === "number") return value >= 0 && value <= FOREVER;
    if (value instanceof Uint8Array) return value.length <= MAX_VALUE_BYTES;
    const items = Object.values(value ?? {});
    return items.length <= MAX_ITEMS && items.every(ok);
  };
  if (!ok(request)) throw new StoreError("The request is out of bounds");
}
