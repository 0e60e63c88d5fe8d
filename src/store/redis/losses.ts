// Who wants to know that a connection was lost: one listener on the user's client, as long as somebody does.

/** Attaches to the client with the first, and detaches with the last. */
export function createLosses(attach: (lost: () => void) => () => void): (lost: () => void) => () => void {
  const listeners = new Set<() => void>();
  let detach: (() => void) | undefined;
  return (lost) => {
    const listener = (): void => lost();
    listeners.add(listener);
    detach ??= attach(() => {
      for (const each of listeners) each();
    });
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      detach?.();
      detach = undefined;
    };
  };
}

/** What is used of an emitter of events. */
export interface Emitter {
  /** Calls back on every such event. */
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  /** No longer. */
  off(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** Listens to several events, until the function that it gives is called. */
export function listen(emitter: Emitter, events: readonly string[], listener: () => void): () => void {
  for (const event of events) emitter.on(event, listener);
  return () => {
    for (const event of events) emitter.off(event, listener);
  };
}
