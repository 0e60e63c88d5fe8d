// sseBus: a bus over an sseHub, by fetch.
import { BusError } from "../../errors.ts";
import type { Bus } from "../contract.ts";
import { createBus } from "../create.ts";
import { resolveSseBus, type SseBusOptions } from "./bus-options.ts";
import { listen } from "./listen.ts";
import { BYTES, EVENT_STREAM } from "./protocol.ts";

/**
 * A bus over the `sseHub` at this address: frames are sent by POST, and come over one event stream, which is opened again
 * after a loss, at growing, jittered steps of at most 10 s, and resumed where it was. Where the hub cannot resume, the
 * instance asks the log. Redirects are not followed. Does no I/O before it is used. Throws an OptionError for a wrong address
 * or option; where the hub refuses, events and rejections are a BusError with the status and nothing of the answer.
 */
export function sseBus(url: string, options: SseBusOptions = {}): Bus {
  const { url: hub, token, fetch, idleTimeoutMs, bus } = resolveSseBus(url, options);
  return createBus(
    "sse",
    ({ channel, platform, report }) => {
      const address = new URL(hub);
      address.searchParams.set("channel", channel);
      let stop: (() => Promise<void>) | undefined;

      const ask = async (what: string, headers: Readonly<Record<string, string>>, more: RequestInit) => {
        const bearer = token === undefined ? undefined : { authorization: `Bearer ${token}` };
        const init: RequestInit = { ...more, headers: { ...headers, ...bearer }, redirect: "manual" };
        let answer: Response;
        try {
          answer = await fetch(address.href, init);
        } catch (cause) {
          throw new BusError(`sseBus: ${what}: the hub is out of reach`, { cause });
        }
        if (answer.ok) return answer;
        void answer.body?.cancel().catch(() => undefined); // of no interest
        throw new BusError(`sseBus: ${what}: the hub answered with status ${answer.status}`);
      };

      return {
        async publish(frame, signal) {
          const body = new Uint8Array(frame);
          const answer = await ask("publish", { "content-type": BYTES }, { method: "POST", body, signal });
          await answer.body?.cancel();
        },
        subscribe(events) {
          const open = async (lastEventId: string, signal: AbortSignal): Promise<Response> => {
            const resume = lastEventId === "" ? undefined : { "last-event-id": lastEventId };
            const answer = await ask("subscribe", { accept: EVENT_STREAM, ...resume }, { signal });
            if (answer.headers.get("content-type")?.startsWith(EVENT_STREAM)) return answer;
            void answer.body?.cancel().catch(() => undefined); // of no interest
            throw new BusError("sseBus: subscribe: what is at this address is no hub");
          };
          stop = listen({ platform, report, open, idleTimeoutMs }, events);
        },
        close: async () => stop?.(),
      };
    },
    bus,
  );
}
