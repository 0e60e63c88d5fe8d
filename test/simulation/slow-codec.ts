// A codec that takes its time, as those that compress or encrypt do.
import type { Codec } from "../../src/codec/contract.ts";
import type { VirtualPlatform } from "../../src/testing/virtual-platform.ts";
import type { Draw } from "./draw.ts";
import { requests, type Life } from "./life.ts";

export interface SlowCodecOptions {
  readonly base: VirtualPlatform;
  readonly life: Life;
  readonly draw: Draw;
  /** Now. */
  maxMs(): number;
}

/** It works for the request that asked for it: when that is over, it never ends. */
export function slowCodec(inner: Codec, { base, life, draw, maxMs }: SlowCodecOptions): Codec {
  return {
    ...inner,
    async encode(value, hint) {
      const request = requests.getStore();
      const ms = (request?.draw ?? draw).int(0, maxMs());
      await new Promise<void>((resolve) => void base.setTimeout(() => life.deliver(request, resolve), ms));
      return inner.encode(value, hint);
    },
  };
}
