// Times that differ between instances, so that they do not act in step.
import type { Platform } from "../platform.ts";

/** Half to all of `ms`. */
export const jittered = ({ random }: Platform, ms: number): number => ms * (0.5 + random() / 2);
