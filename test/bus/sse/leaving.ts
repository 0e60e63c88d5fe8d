// Checks of a hub that runs anywhere and takes one subscriber: who leaves makes room, and so does who reads nothing.
import { connect } from "node:net";
import { expect } from "vitest";
import { sleep, TOKEN } from "./world.ts";

const headers = { authorization: `Bearer ${TOKEN}` };

/** Asks for a stream: its status, and what ends it. */
async function ask(url: string) {
  const ending = new AbortController();
  const { status } = await fetch(url, { headers, signal: ending.signal });
  return { status, leave: () => ending.abort() };
}

/** Asks until there is room, ten seconds at most. */
async function untilRoom(url: string) {
  for (let tries = 0; ; tries++) {
    const stream = await ask(url);
    if (stream.status === 200) return stream;
    stream.leave();
    expect(tries).toBeLessThan(500);
    await sleep(20);
  }
}

/** Somebody who disconnects is forgotten at once: no keep-alive has to fail first. */
export async function leavingMakesRoom(hub: string): Promise<void> {
  const url = `${hub}?channel=leaving`;
  const first = await untilRoom(url);
  const second = await ask(url);
  expect(second.status).toBe(503);
  second.leave();
  first.leave();
  (await untilRoom(url)).leave();
}

/** Somebody who never reads is cut off once the network takes no more, long before a server's memory is full. */
export async function stuckMakesRoom(hub: string): Promise<void> {
  const url = `${hub}?channel=stuck`;
  (await untilRoom(url)).leave();
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connect(Number(port), hostname).on("error", () => undefined);
  socket.pause();
  const lines = [`GET ${pathname}${search} HTTP/1.1`, "Host: hub", `Authorization: ${headers.authorization}`, "", ""];
  try {
    for (let status = 200, tries = 0; status === 200 && tries < 500; tries++) {
      if (!socket.bytesWritten) socket.write(lines.join("\r\n"));
      await sleep(20); // until it has the place
      const other = await ask(url);
      other.leave();
      ({ status } = other);
    }
    const init = { method: "POST", headers: { ...headers, "content-type": "application/octet-stream" } };
    for (let sent = 0; sent < 2_000; sent++) {
      expect((await fetch(url, { ...init, body: new Uint8Array(65_536) })).status).toBe(204);
      if (sent % 20 !== 19) continue;
      const other = await ask(url);
      other.leave();
      if (other.status === 200) return;
    }
    expect.fail("it still has its place, after 128 MiB");
  } finally {
    socket.destroy();
  }
}
