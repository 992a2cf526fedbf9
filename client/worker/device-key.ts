// The key of this device: made here, never leaves, and the same for every tab of this browser. A worker that proves it is
// the same one tomorrow, on every run.

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' };
/** Hexadecimal digits of the key's hash: 80 bits. */
const ID_CHARS = 20;

export interface DeviceKey {
  /** Of the first worker on this device; the coordinator finds the same. */
  readonly id: string;
  /** The uncompressed point, in base64url. */
  readonly publicKey: string;
  /** In base64url. */
  sign(text: string): Promise<string>;
}

/** Absent where the browser withholds its cryptography: on pages that came over plain http. */
const subtle = (): SubtleCrypto | undefined => (globalThis.crypto as Partial<Crypto> | undefined)?.subtle;

/** A fresh pair. `extractable`: the private key can be read out of it, to be kept in a file. */
export async function makePair(extractable: boolean): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, extractable, ['sign', 'verify']);
}

export async function keyOf({ privateKey, publicKey }: CryptoKeyPair): Promise<DeviceKey> {
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', point));
  const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return {
    id: `w${hex.slice(0, ID_CHARS)}`,
    publicKey: base64url(point),
    sign: async (text) =>
      base64url(new Uint8Array(await crypto.subtle.sign(SIGNING, privateKey, new TextEncoder().encode(text)))),
  };
}

/** A pair as it was written to a file. Rejects when it is none. */
export async function pairOf(jwk: JsonWebKey): Promise<CryptoKeyPair> {
  const privateKey = await crypto.subtle.importKey('jwk', jwk, ALGORITHM, false, ['sign']);
  const { kty, crv, x, y } = jwk as Record<string, string>;
  const open = { kty: kty!, crv: crv!, x: x!, y: y! };
  return { privateKey, publicKey: await crypto.subtle.importKey('jwk', open, ALGORITHM, true, ['verify']) };
}

export const jwkOf = ({ privateKey }: CryptoKeyPair): Promise<JsonWebKey> => crypto.subtle.exportKey('jwk', privateKey);

/** This browser's, made when it is first asked for; null where there is no cryptography, or nowhere to keep a key. */
export async function browserKey(): Promise<DeviceKey | null> {
  if (subtle() === undefined) return null;
  try {
    const database = await opened();
    const pair = (await kept(database)) ?? (await keep(database, await makePair(false)));
    database.close();
    return await keyOf(pair);
  } catch {
    return null; // a private window, or a profile whose storage is full or damaged
  }
}

const DATABASE = 'murmuration';
const STORE = 'keys';
const NAME = 'device';

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the database cannot be opened'));
    request.onblocked = () => reject(new Error('the database is held by another tab'));
  });
}

function kept(database: IDBDatabase): Promise<CryptoKeyPair | undefined> {
  return new Promise((resolve, reject) => {
    const request = database.transaction(STORE).objectStore(STORE).get(NAME) as IDBRequest<CryptoKeyPair | undefined>;
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the key cannot be read'));
  });
}

/** Another tab may have been first: then its key counts. */
async function keep(database: IDBDatabase, pair: CryptoKeyPair): Promise<CryptoKeyPair> {
  await new Promise<void>((resolve, reject) => {
    const transaction = database.transaction(STORE, 'readwrite');
    transaction.objectStore(STORE).add({ privateKey: pair.privateKey, publicKey: pair.publicKey }, NAME);
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => {
      if (transaction.error?.name === 'ConstraintError') resolve();
      else reject(transaction.error ?? new Error('the key cannot be kept'));
    };
  });
  const first = await kept(database);
  if (first === undefined) throw new Error('the key was not kept');
  return first;
}

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
