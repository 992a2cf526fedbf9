// How long the browser tests wait for what must happen.

/** What compiling shaders for a software GPU may take on a busy machine. */
export const PATIENCE_MS = 120_000;
