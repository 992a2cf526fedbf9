// The safetensors format (https://github.com/huggingface/safetensors, "Format"), which PyTorch, JAX and others read: eight
// bytes of header length, a JSON header of names and places, then the tensors. Here all are little-endian float32.

const LENGTH_BYTES = 8;
/** The reference implementation reads no longer header. */
const HEADER_BYTES_MAX = 100_000_000;

export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface Tensor extends NamedShape {
  /** First byte in the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface Contents {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes, without a gap from the header to the file's end. */
  readonly tensors: readonly Tensor[];
}

const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Everything before the numbers of the tensors, which follow in this order. Its length is a multiple of eight. */
export function encodeSafetensorsHead(
  tensors: readonly NamedShape[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  let at = 0;
  const entries = tensors.map(({ name, shape }) => {
    const begin = at;
    at += 4 * elements(shape);
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype: 'F32', shape, data_offsets: [begin, at] })}`;
  });
  const text = `{${[`"__metadata__":${JSON.stringify(metadata)}`, ...entries].join(',')}}`;
  const json = new TextEncoder().encode(text);
  const padded = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(LENGTH_BYTES + padded).fill(0x20, LENGTH_BYTES);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(json, LENGTH_BYTES);
  return head;
}

/** Reads and checks everything but the numbers themselves. Throws one sentence: what of the file is not as it should be. */
export function decodeSafetensors(file: Uint8Array): Contents {
  if (file.byteLength < LENGTH_BYTES) throw new Error(`it has ${file.byteLength} bytes: not even the header's length`);
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > HEADER_BYTES_MAX) throw new Error('its header is longer than any can be');
  const dataAt = LENGTH_BYTES + Number(length);
  if (dataAt > file.byteLength) throw new Error(`it is cut short: ${file.byteLength} bytes end within its header`);
  const header = parsed(file.subarray(LENGTH_BYTES, dataAt));
  const tensors = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => tensorOf(name, entry, dataAt))
    .sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let at = dataAt;
  for (const { name, offset, bytes } of tensors) {
    if (offset !== at) throw new Error(`its tensor "${name}" begins at byte ${offset} where ${at} was expected`);
    at += bytes;
  }
  if (at !== file.byteLength) throw new Error(`it has ${file.byteLength} bytes where its header says ${at}`);
  return { metadata: metadataOf(header['__metadata__']), tensors };
}

/** The numbers of a tensor: a copy. */
export function tensorValues(file: Uint8Array, { offset, bytes }: Tensor): Float32Array<ArrayBuffer> {
  const values = new Float32Array(bytes / 4);
  new Uint8Array(values.buffer).set(file.subarray(offset, offset + bytes));
  return values;
}

function parsed(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Error('its header is not JSON');
  }
  if (!isRecord(header)) throw new Error('its header is not a JSON object');
  return header;
}

function metadataOf(value: unknown): Record<string, string> {
  const pairs = Object.entries(isRecord(value) ? value : {});
  for (const [name, text] of pairs) {
    if (typeof text !== 'string' || name === '__proto__') throw new Error(`its metadata has no text "${name}"`);
  }
  return Object.fromEntries(pairs) as Record<string, string>;
}

function tensorOf(name: string, entry: unknown, dataAt: number): Tensor {
  const wrong = (what: string): Error => new Error(`its tensor "${name}" has ${what}`);
  if (name === '__proto__') throw wrong('a name that none can have');
  if (!isRecord(entry)) throw wrong('no description');
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== 'F32') throw wrong('numbers of another type than F32');
  if (!isSizes(shape)) throw wrong('no shape');
  if (!isSizes(offsets) || offsets.length !== 2) throw wrong('no place');
  const [begin, end] = offsets as [number, number];
  if (end - begin !== 4 * elements(shape)) throw wrong(`${end - begin} bytes for [${shape.join(', ')}] numbers`);
  return { name, shape, offset: dataAt + begin, bytes: end - begin };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
