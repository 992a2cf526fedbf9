// Reader of IDX, the format of the MNIST family (LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/), from bytes
// already unpacked. Big-endian header, then u8 data. It opens no files; it knows no data set's size.
//
//   offset  size  field
//        0     4  magic: 0, 0, 8 (u8), number of dimensions
//        4   4·d  the d dimensions
//    4+4·d     …  the data, last dimension fastest

/** `count` images of height × width pixels, one byte each, row by row: a view of the file's bytes. */
export interface IdxImages {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

const IMAGES_MAGIC = 0x803;
const LABELS_MAGIC = 0x801;

/** Views an images file. Throws one sentence, which names `file`, when the bytes are not one. */
export function readIdxImages(bytes: Uint8Array, file: string): IdxImages {
  const { dims, data } = readIdx(bytes, { file, magic: IMAGES_MAGIC, what: 'images' });
  const [count = 0, height = 0, width = 0] = dims;
  if (height === 0 || width === 0) throw new Error(`${file}: images of ${height}×${width} pixels hold nothing`);
  return { count, height, width, pixels: data };
}

/** Views a labels file, one byte a label, each below `classCount`. Throws one sentence, which names `file`. */
export function readIdxLabels(bytes: Uint8Array, file: string, classCount: number): Uint8Array {
  const { data } = readIdx(bytes, { file, magic: LABELS_MAGIC, what: 'labels' });
  const bad = data.findIndex((label) => label >= classCount);
  if (bad >= 0) throw new Error(`${file}: label ${bad} is ${data[bad]!}, expected one below ${classCount}`);
  return data;
}

interface Expected {
  readonly file: string;
  readonly magic: number;
  readonly what: string;
}

function readIdx(bytes: Uint8Array, { file, magic, what }: Expected): { dims: number[]; data: Uint8Array } {
  const headerBytes = 4 + 4 * (magic & 0xff);
  if (bytes.byteLength < headerBytes) {
    throw new Error(`${file}: ${bytes.byteLength} bytes, expected an IDX header of ${headerBytes} for ${what}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const found = view.getUint32(0);
  if (found !== magic) {
    throw new Error(`${file}: starts with 0x${found.toString(16)}, expected 0x${magic.toString(16)} (IDX ${what})`);
  }
  const dims = Array.from({ length: magic & 0xff }, (_, i) => view.getUint32(4 + 4 * i));
  const dataBytes = dims.reduce((a, b) => a * b, 1);
  if (bytes.byteLength !== headerBytes + dataBytes) {
    const size = dims.join('×');
    throw new Error(`${file}: ${bytes.byteLength} bytes, expected ${headerBytes + dataBytes} for ${size} ${what}`);
  }
  return { dims, data: bytes.subarray(headerBytes) };
}
