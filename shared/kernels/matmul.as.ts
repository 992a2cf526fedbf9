// C ← C + A·B in WebAssembly SIMD, in the memory of whoever instantiates it. AssemblyScript, not TypeScript: `npm run
// kernels` compiles it into matmul-binary.ts. Each element is summed in the order of k, every product and sum rounded to
// float32. Not the way to call it: see ../nn/wasm-matmul.ts.
//
// A row of A and a column of B may lie in memory at any distance: so a transposed matrix is one with its distances
// exchanged, and nothing is copied but eight columns of B at a time, to where the inner loop reads them in sequence.

/** Products a sum is taken further by, before the next columns' turn: with eight columns, 8 kB, well within a cache. */
const DEPTH: i32 = 256;
const COLUMNS: i32 = 8;
const ROWS: i32 = 4;
const COLUMNS_BYTES: usize = 32;
/** Of the memory that `scratch` names: the columns of B, and one tile of C. */
const PANEL_BYTES: usize = 8192;

function bytes(n: i32): usize {
  return (<usize>n) << 2;
}

/** Columns of B, as many as there are up to eight, and zeros in place of the others. */
function pack(panel: usize, b: usize, step: usize, column: usize, depth: i32, width: i32): void {
  if (width == COLUMNS && column == 4) {
    for (let end = panel + <usize>depth * COLUMNS_BYTES; panel < end; panel += COLUMNS_BYTES, b += step) {
      v128.store(panel, v128.load(b));
      v128.store(panel, v128.load(b, 16), 16);
    }
    return;
  }
  for (let k = 0; k < depth; k++, b += step) {
    for (let j = 0; j < COLUMNS; j++, panel += 4) {
      store<f32>(panel, j < width ? load<f32>(b + <usize>j * column) : <f32>0);
    }
  }
}

/** A tile of C, four rows of eight, taken further by so many products. Rows 1 to 3 of A are so far from the one before. */
function tile(
  c: usize,
  row: usize,
  a: usize,
  step: usize,
  to1: usize,
  to2: usize,
  to3: usize,
  panel: usize,
  depth: i32,
): void {
  const c1 = c + row;
  const c2 = c1 + row;
  const c3 = c2 + row;
  let a1 = a + to1;
  let a2 = a1 + to2;
  let a3 = a2 + to3;
  let s00 = v128.load(c);
  let s01 = v128.load(c, 16);
  let s10 = v128.load(c1);
  let s11 = v128.load(c1, 16);
  let s20 = v128.load(c2);
  let s21 = v128.load(c2, 16);
  let s30 = v128.load(c3);
  let s31 = v128.load(c3, 16);
  for (let end = panel + <usize>depth * COLUMNS_BYTES; panel < end; panel += COLUMNS_BYTES) {
    const b0 = v128.load(panel);
    const b1 = v128.load(panel, 16);
    const x0 = v128.load32_splat(a);
    const x1 = v128.load32_splat(a1);
    const x2 = v128.load32_splat(a2);
    const x3 = v128.load32_splat(a3);
    s00 = f32x4.add(s00, f32x4.mul(x0, b0));
    s01 = f32x4.add(s01, f32x4.mul(x0, b1));
    s10 = f32x4.add(s10, f32x4.mul(x1, b0));
    s11 = f32x4.add(s11, f32x4.mul(x1, b1));
    s20 = f32x4.add(s20, f32x4.mul(x2, b0));
    s21 = f32x4.add(s21, f32x4.mul(x2, b1));
    s30 = f32x4.add(s30, f32x4.mul(x3, b0));
    s31 = f32x4.add(s31, f32x4.mul(x3, b1));
    a += step;
    a1 += step;
    a2 += step;
    a3 += step;
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c1, s10);
  v128.store(c1, s11, 16);
  v128.store(c2, s20);
  v128.store(c2, s21, 16);
  v128.store(c3, s30);
  v128.store(c3, s31, 16);
}

/**
 * C [m, n] ← C + A·B for A [m, k] and B [k, n]. In bytes: from a row of A to the next and from a column of A to the next,
 * the same of B; C is row by row. `scratch` has 8,320 bytes.
 */
export function multiplyAdd(
  c: usize,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bRow: usize,
  bColumn: usize,
  scratch: usize,
  m: i32,
  n: i32,
  k: i32,
): void {
  const cRow = bytes(n);
  const part = scratch + PANEL_BYTES;
  for (let done = 0; done < k; done += DEPTH) {
    const depth = min(DEPTH, k - done);
    for (let j = 0; j < n; j += COLUMNS) {
      const width = min(COLUMNS, n - j);
      pack(scratch, b + <usize>done * bRow + <usize>j * bColumn, bRow, bColumn, depth, width);
      for (let i = 0; i < m; i += ROWS) {
        const at = a + <usize>i * aRow + <usize>done * aColumn;
        const to = c + <usize>i * cRow + bytes(j);
        const height = min(ROWS, m - i);
        if (height == ROWS && width == COLUMNS) {
          tile(to, cRow, at, aColumn, aRow, aRow, aRow, scratch, depth);
          continue;
        }
        // At an edge: rows that are not there are the last one again, and of the tile only what is there is kept.
        for (let r = 0; r < height; r++)
          memory.copy(part + <usize>r * COLUMNS_BYTES, to + <usize>r * cRow, bytes(width));
        const to1 = height > 1 ? aRow : 0;
        const to2 = height > 2 ? aRow : 0;
        const to3 = height > 3 ? aRow : 0;
        tile(part, COLUMNS_BYTES, at, aColumn, to1, to2, to3, scratch, depth);
        for (let r = 0; r < height; r++)
          memory.copy(to + <usize>r * cRow, part + <usize>r * COLUMNS_BYTES, bytes(width));
      }
    }
  }
}
