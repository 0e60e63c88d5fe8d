// Heartbeats: one of the instances, in turns, tells the others how far the log has come, so that a silent loss is found.
import type { BusPort, HeartbeatMessage } from "./contract.ts";

/** One instance's part in them. */
export interface Heartbeat {
  /** Begins to take turns. */
  start(): void;
  /** Somebody spoke. */
  heard(): void;
  /** Somebody else had this turn. */
  beat(message: HeartbeatMessage): void;
}

/**
 * An instance whose turn comes asks the log first, so that what it tells is true: one question for all instances. Who heard
 * of all the partitions that it uses leaves its turn out. One that has heard nothing for two heartbeats, or was frozen,
 * learns nothing from the bus, and when that speaks again something was missed.
 */
export function createHeartbeat(
  port: BusPort,
  heartbeatMs: number,
  send: (message: HeartbeatMessage) => Promise<void>,
  missed: () => void,
): Heartbeat {
  let heardAt = 0;
  let isSilent = false;
  /** What others told of since this instance's last turn. */
  const told = new Set<number>();

  const listen = (): void => {
    if (isSilent || port.clock() - heardAt <= 2 * heartbeatMs) return;
    isSilent = true;
    port.told("silent");
  };

  const turn = async (): Promise<void> => {
    const mine = port.positions();
    const isTold = mine.positions.every(({ partition }) => told.has(partition));
    told.clear();
    // Without a log there is nothing to ask, and each gives a sign of life: whoever hears none must forget all in the end.
    if (port.hasLog && isTold) return;
    if (port.hasLog) await port.catchUp(mine.positions.map(({ partition }) => partition));
    if (!port.isClosed()) await send(port.positions());
  };

  const wait = (): void => {
    // Half of it differs, so that turns come by themselves.
    port.after(heartbeatMs * (0.75 + port.platform.random() / 2), () => {
      if (port.isClosed()) return;
      listen();
      port.background("heartbeat", turn().finally(wait));
    });
  };

  return {
    start() {
      heardAt = port.clock();
      wait();
    },
    heard() {
      listen();
      heardAt = port.clock();
      if (!isSilent) return;
      isSilent = false;
      port.told("up");
      missed();
    },
    beat({ positions }) {
      for (const { partition } of positions) told.add(partition);
    },
  };
}
