// Random choices from a seed, with a child seed for each part, so that leaving one part out does not change the others.
import { seededRandom } from "../../src/testing/virtual-platform.ts";

export interface Draw {
  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  /** Some of the choices, in their order. */
  some<T>(choices: readonly T[], probability: number): T[];
  random(): number;
}

/** The seed of a part. */
export function mix(seed: number, part: number): number {
  let hash = Math.imul(seed ^ (part + 0x9e3779b9), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 15)) | 0;
}

export function createDraw(seed: number): Draw {
  const random = seededRandom(seed);
  const int = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
  const chance = (probability: number): boolean => random() < probability;
  return {
    random,
    int,
    chance,
    pick: (choices) => choices[int(0, choices.length - 1)]!, // nobody picks from nothing
    some: (choices, probability) => choices.filter(() => chance(probability)),
  };
}
