// Before any test: the pages are built once, so that no two tests build them at the same time.

import { ensurePages } from '../server/host/pages.ts';

export default (): Promise<void> => ensurePages(() => undefined);
