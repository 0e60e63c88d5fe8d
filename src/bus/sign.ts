// Signed frames: HMAC-SHA-256 by Web Crypto over the channel and the frame, so that only who knows the secret is listened to.
import { malformed } from "./bytes.ts";
import { checkLength, SIGNED } from "./frame.ts";

/** What signs and verifies. */
export interface SignerOptions {
  /** Signs, and verifies. */
  readonly secret: string;
  /** Verifies, too, while secrets are being changed. */
  readonly previous?: string | undefined;
  /** Is signed with each frame: a frame of another channel is foreign, although the secret is the same. */
  readonly channel: string;
}

/** Signs frames and verifies signed ones. */
export interface Signer {
  /** The frame with its signature in front: `SIGNATURE_BYTES` longer. */
  sign(frame: Uint8Array): Promise<Uint8Array>;
  /**
   * The frame, without the signature: a copy, of which nobody can change what was verified. Rejects with a BusError if it is
   * not signed, or not with one of the secrets, or for another channel. That it is no repetition is for others to find out:
   * by its source and number, and when it was sent.
   */
  verify(bytes: Uint8Array): Promise<Uint8Array>;
}

const HMAC_BYTES = 32;
/** By how much a signature makes a frame longer: a mark, and the signature. */
export const SIGNATURE_BYTES = 1 + HMAC_BYTES;

/** Whether a frame was sent no longer ago than this, nor further ahead, by wall clocks; all in milliseconds. */
export const isFresh = (sentAt: number, now: number, maxAgeMs: number): boolean => Math.abs(now - sentAt) <= maxAgeMs;

const encoder = new TextEncoder();

const importKey = (secret: string): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);

/** Creates a signer. Does nothing before it is used. Errors never tell a secret. */
export function createSigner({ secret, previous, channel }: SignerOptions): Signer {
  // Each becomes its key when it is first needed, and never the promise of one: a request must not await another's. Two that
  // come at once both import it, which does no harm.
  const keys: (string | CryptoKey)[] = previous === undefined ? [secret] : [secret, previous];
  const keyAt = async (index: number): Promise<CryptoKey> => {
    const key = keys[index]!; // there is one
    return typeof key === "string" ? (keys[index] = await importKey(key)) : key;
  };
  // No channel contains the zero byte, so none is the beginning of another one and a frame.
  const context = encoder.encode(`${channel}\0`);

  const signedPart = (frame: Uint8Array): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(context.length + frame.length);
    bytes.set(context);
    bytes.set(frame, context.length);
    return bytes;
  };

  return {
    async sign(frame) {
      const signed = signedPart(frame);
      const signature = await crypto.subtle.sign("HMAC", await keyAt(0), signed);
      const bytes = new Uint8Array(SIGNATURE_BYTES + frame.length);
      bytes[0] = SIGNED;
      bytes.set(new Uint8Array(signature), 1);
      bytes.set(signed.subarray(context.length), SIGNATURE_BYTES);
      return bytes;
    },
    async verify(bytes) {
      if (bytes[0] !== SIGNED) malformed("unsigned");
      if (bytes.length < SIGNATURE_BYTES) malformed("truncated");
      checkLength(bytes);
      const signature = bytes.slice(1, SIGNATURE_BYTES);
      const signed = signedPart(bytes.subarray(SIGNATURE_BYTES));
      for (const index of keys.keys()) {
        // Compares in constant time.
        const isRight = await crypto.subtle.verify("HMAC", await keyAt(index), signature, signed);
        if (isRight) return signed.subarray(context.length);
      }
      return malformed("signature does not match");
    },
  };
}
