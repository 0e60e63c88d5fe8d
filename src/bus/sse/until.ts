// A wait that a signal ends, whatever becomes of what is waited for.

/** As the promise settles; rejects with the signal's reason if that fires before. */
export function until<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error); // of our own controllers
    const settle = (): void => signal.removeEventListener("abort", stop);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
    promise.then(resolve, reject).then(settle, settle);
  });
}
