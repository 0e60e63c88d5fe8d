// Frames over Pub/Sub of Redis, as base64: some clients, and event streams, carry nothing but text.
import { BusError } from "../errors.ts";
import type { RedisTransport } from "../store/redis/transport.ts";
import type { OpenTransport } from "./contract.ts";

const toBase64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** Where the transport listens to nothing, neither does the bus: it only tells others. */
export function base64Transport({ send, subscribe }: Pick<RedisTransport, "send" | "subscribe">): OpenTransport {
  return ({ channel, report }) => {
    let close = async (): Promise<void> => undefined;
    return {
      publish: async (frame, signal) => void (await send(["PUBLISH", channel, toBase64(frame)], signal)),
      subscribe({ frame, state }) {
        const message = (text: string): void => {
          try {
            void frame(fromBase64(text)); // it never rejects
          } catch {
            report(new BusError("what came over Pub/Sub is not base64"));
          }
        };
        const subscription = subscribe?.(channel, { message, state });
        if (subscription) close = () => subscription.close();
      },
      close: () => close(),
    };
  };
}
