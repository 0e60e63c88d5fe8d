// Keys of one test in a Redis that is shared: a prefix of its own, and all of them deleted when it is over.
import { randomUUID } from "node:crypto";
import { onTestFinished } from "vitest";
import { connectRedis } from "./resp-client.ts";
import { textOf } from "./resp.ts";

/** Deletes every key that begins so. */
export async function deleteKeys(url: string, prefix: string): Promise<void> {
  const client = await connectRedis(url);
  let cursor = "0";
  do {
    const page = await client.send(["SCAN", cursor, "MATCH", `${prefix}*`, "COUNT", "1000"]);
    const [next, keys] = page.type === "array" ? (page.items ?? []) : [];
    cursor = next === undefined ? "0" : textOf(next)!; // Redis answers SCAN with a string and an array
    const found = keys?.type === "array" ? (keys.items ?? []) : [];
    if (found.length > 0) await client.send(["DEL", ...found.map((key) => (key.type === "bulk" ? key.bytes! : ""))]);
  } while (cursor !== "0");
  client.close();
}

/** A prefix for the keys and channels of the test that runs. */
export function ownPrefix(url: string): string {
  const prefix = `isocache-test:${randomUUID()}:`;
  onTestFinished(() => deleteKeys(url, prefix));
  return prefix;
}
