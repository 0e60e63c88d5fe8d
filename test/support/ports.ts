// Free TCP ports on loopback, for servers that cannot choose one themselves.
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

/** A port that is free now; somebody else may take it before it is used, so whoever uses it tries again. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.on("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  await new Promise((resolve) => server.close(resolve));
  return port;
}
