// The body of a request, read within a number of bytes and a time.
import type { Platform } from "../../platform.ts";

/** What ends it before its time. */
export interface Stops {
  add(stop: () => void): void;
  delete(stop: () => void): void;
}

/** The bytes; "large": there are more; "late": they did not come in time, or it was stopped. Rejects as the body does. */
export async function readBody(
  { body, headers }: Request,
  maxBytes: number,
  withinMs: number,
  { setTimeout, clearTimeout }: Platform,
  stops: Stops,
): Promise<Uint8Array | "large" | "late"> {
  if (Number(headers.get("content-length")) > maxBytes) return "large";
  const bytes = new Uint8Array(maxBytes);
  if (!body) return bytes.subarray(0, 0);
  const reader = body.getReader();
  let stop = (): void => undefined;
  const late = new Promise<"late">((resolve) => (stop = () => resolve("late")));
  const timer = setTimeout(stop, withinMs);
  stops.add(stop);
  try {
    for (let length = 0; ;) {
      const part = await Promise.race([reader.read(), late]);
      if (part === "late") return part;
      if (part.done) return bytes.subarray(0, length);
      if (length + part.value.length > maxBytes) return "large";
      bytes.set(part.value, length);
      length += part.value.length;
    }
  } finally {
    clearTimeout(timer);
    stops.delete(stop);
    void reader.cancel().catch(() => undefined); // nobody reads on, whatever it says
  }
}
