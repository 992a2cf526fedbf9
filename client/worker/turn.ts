// One turn of the event loop, by message: unlike a timer, hidden tabs do not slow it down.

/** Resolves after everything that is ready now has had its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
