// The slow origin: the one that ORIGIN names, or a stand-in, so that the example runs without one.
import { env } from "cloudflare:workers";

/** A page as it is cached: plain data. A Response could be read only once. */
export interface Page {
  readonly status: number;
  readonly headers: [name: string, value: string][];
  readonly body: string;
}

const kept = ["content-type", "etag"];

/** Fetches a page. Throws if the origin fails: then nothing is cached. */
export async function loadPage(path: string, signal?: AbortSignal): Promise<Page> {
  if (env.ORIGIN === "") {
    await scheduler.wait(500);
    return { status: 200, headers: [], body: `${path}, made at ${new Date().toISOString()}\n` };
  }
  const response = await fetch(new URL(path, env.ORIGIN), signal && { signal });
  if (response.status >= 500) throw new Error(`the origin answered ${response.status}`);
  const headers = [...response.headers].filter(([name]) => kept.includes(name));
  return { status: response.status, headers, body: await response.text() };
}
