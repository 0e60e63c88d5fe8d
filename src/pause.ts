// A wait that ends early if its signal fires.
import type { Platform } from "./platform.ts";

/** Never rejects. */
export async function pause(
  { setTimeout, clearTimeout }: Platform,
  delayMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  let timer: unknown;
  let resume = (): void => undefined;
  await new Promise<void>((resolve) => {
    resume = resolve;
    timer = setTimeout(resolve, delayMs);
    signal.addEventListener("abort", resume);
  });
  clearTimeout(timer);
  signal.removeEventListener("abort", resume);
}
