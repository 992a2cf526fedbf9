// What a device signs to prove its key. Apart from messages.ts, so that a tab does not load its schemas.

export const helloText = (run: string, challenge: string): string => `murmuration hello\n${run}\n${challenge}`;
