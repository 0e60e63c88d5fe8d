// A connection whose calls end with the process that they reached: after that they are never answered.
import type { CallOptions, StoreConnection } from "../../../src/store/contract.ts";

type Ask<Reply> = (options: CallOptions) => Promise<Reply>;

/** `incarnation` tells the process that runs now from those before it. */
export function gate(connection: StoreConnection, incarnation: () => number): StoreConnection {
  const call = <Reply>({ signal, onHeld }: CallOptions, ask: Ask<Reply>): Promise<Reply> => {
    const reached = incarnation();
    const isAlive = (): boolean => incarnation() === reached;
    return new Promise((resolve, reject) => {
      ask({ ...(signal && { signal }), onHeld: () => void (isAlive() && onHeld?.()) }).then(
        (reply) => void (isAlive() && resolve(reply)),
        (error: unknown) => void (isAlive() && reject(error as Error)), // as the store rejected
      );
    });
  };
  return {
    get partitions() {
      return connection.partitions;
    },
    heldReadsPerRequest: connection.heldReadsPerRequest,
    read: (partition, request, options) => call(options, (inner) => connection.read(partition, request, inner)),
    commit: (partition, request, options) => call(options, (inner) => connection.commit(partition, request, inner)),
    renew: (partition, request, options) => call(options, (inner) => connection.renew(partition, request, inner)),
    release: (partition, request, options) => call(options, (inner) => connection.release(partition, request, inner)),
    write: (partition, request, options) => call(options, (inner) => connection.write(partition, request, inner)),
    batch: (partition, request, options) => call(options, (inner) => connection.batch(partition, request, inner)),
    changesSince: (partition, request, options) =>
      call(options, (inner) => connection.changesSince(partition, request, inner)),
    info: (partition, options) => call(options, (inner) => connection.info(partition, inner)),
    close: () => connection.close(),
  };
}
