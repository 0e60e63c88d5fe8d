// One conformance case: a sentence of behaviour and the steps that show it on a fresh store.
import { storeDriver } from "../store-driver.ts";
import type { StoreDriver, StoreFixture } from "../store-driver.ts";

/** One promise of the store contract. */
export interface StoreCase {
  /** The behaviour, as a sentence. */
  readonly name: string;
  /** Resolves if the store behaves so, rejects with an Error that says what it did instead. */
  run(make: () => Promise<StoreFixture>): Promise<void>;
}

export function storeCase(name: string, steps: (driver: StoreDriver) => Promise<void>): StoreCase {
  return {
    name,
    async run(make) {
      const fixture = await make();
      const driver = storeDriver(fixture);
      try {
        await steps(driver);
      } finally {
        await driver.connection.close();
        await fixture.close();
      }
    },
  };
}
