// A run's YAML file, read and checked: what is wrong is said with the file, the field, and what was expected.

import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import * as z from 'zod/mini';
import { runSchema, type RunConfig } from '../../shared/config.ts';
import { asRunId } from '../../shared/ids.ts';

z.config(z.locales.en());

/** Checks what a run file says. Throws one message that names every wrong field. */
export function parseRunFile(text: string, file: string): RunConfig {
  const document = parseDocument(text);
  const problem = document.errors[0];
  if (problem) throw new Error(`${file}: ${problem.message}`);
  const result = runSchema.safeParse(document.toJS());
  if (!result.success) throw new Error(`${file} does not describe a run:\n${z.prettifyError(result.error)}`);
  return { ...result.data, id: asRunId(result.data.id) };
}

/** Reads and checks a run file. */
export async function readRunFile(file: string): Promise<RunConfig> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `cannot read the run file ${file}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`,
    );
  });
  return parseRunFile(text, file);
}
