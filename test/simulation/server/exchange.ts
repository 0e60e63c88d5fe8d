// The way to a Durable Object and back, as the runtime goes it: a caller who lets go hears nothing more.
import type { ObjectStub } from "../../../runtimes/cloudflare/store.ts";

/** What a stub's fetch does, given what the object does with the request. Rejects as soon as the signal fires. */
export async function exchange(
  answer: (request: Request) => Promise<Response>,
  url: string,
  { method, body, signal }: Parameters<ObjectStub["fetch"]>[1],
): ReturnType<ObjectStub["fetch"]> {
  signal?.throwIfAborted();
  const headers = { "content-length": String(body.length) };
  const request = new Request(url, { method, body: body as BodyInit, headers, ...(signal && { signal }) });
  const response = await unlessAborted(signal, answer(request));
  return {
    status: response.status,
    headers: response.headers,
    arrayBuffer: () => unlessAborted(signal, response.arrayBuffer()),
    text: () => unlessAborted(signal, response.text()),
  };
}

function unlessAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error); // whatever its owner said
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
