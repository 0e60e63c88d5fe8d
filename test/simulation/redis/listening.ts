// A connection that listens: what is published comes in its order, until it is cut; then it connects again.
import type { Line, LineEvents } from "../../../src/store/redis/subscriber.ts";
import type { Draw } from "../draw.ts";
import type { Life } from "../life.ts";
import type { NetworkOptions } from "../network.ts";

/** Begins to connect, and keeps on trying until it is closed. */
export function createListening(options: NetworkOptions, life: Life, own: Draw, events: LineEvents): Line {
  const { plan, base, server, history } = options;
  const redis = server.redis!; // it is one
  /** The channels of the present connection; none while there is no connection. */
  let channels: Set<string> | undefined;
  let isClosed = false;
  let arrivesAt = 0;

  // Rarely is anything to be heard: so some of that is lost in any schedule that is not calm.
  const lossRate = plan.calm ? 0 : 0.08;
  const later = (): number => own.int(...plan.network.delay);
  const isGone = (): boolean => isClosed || life.dead;
  /** One after the other comes to the instance. */
  const deliver = (callback: () => void): void => {
    arrivesAt = Math.max(arrivesAt, base.monotonic() + later());
    base.setTimeout(() => {
      life.deliver(undefined, () => {
        if (!isClosed) callback();
      });
    }, arrivesAt - base.monotonic());
  };

  const connect = (): void => {
    base.setTimeout(() => {
      if (isGone()) return;
      if (!options.healed() && base.monotonic() < options.downUntil) return connect();
      channels = new Set();
      deliver(events.up);
    }, later() + 1);
  };

  /** What is published from now on is lost, and it hears of that later. */
  const cut = (): void => {
    if (channels === undefined || isGone()) return;
    channels = undefined;
    history.struck("subscription lost");
    deliver(events.down);
    connect();
  };

  const stop = redis.listen((channel, message) => {
    if (isGone() || !channels?.has(channel)) return;
    if (own.chance(Math.max(lossRate, plan.network.loseAnswer)) && !options.healed()) return cut();
    deliver(() => events.message(channel, message));
  });
  server.onReset(cut);
  options.cuts.get(life)?.push(cut);
  connect();

  return {
    listen(channel) {
      const mine = channels;
      return new Promise((resolve, reject) => {
        base.setTimeout(() => {
          if (mine === undefined || mine !== channels) return deliver(() => reject(new Error("Connection is closed.")));
          mine.add(channel);
          deliver(() => resolve(undefined));
        }, later());
      });
    },
    async leave(channel) {
      channels?.delete(channel);
    },
    close() {
      isClosed = true;
      stop();
    },
  };
}
