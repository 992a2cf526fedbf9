// Builds the two pages and the worker program, and serves them in development. One index.html: main.tsx picks the page.

import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const COORDINATOR = 'http://localhost:3000';

/**
 * Drops the breakpoint variants (`md:rt-r-…`) from the component library's style sheets: no page uses a responsive
 * prop, and they are more than half of the bytes.
 */
function withoutBreakpointVariants(): Plugin {
  return {
    name: 'without-breakpoint-variants',
    enforce: 'pre',
    transform(code, id) {
      if (!/@radix-ui\/themes\/[a-z]+\.css/.test(id)) return null;
      return { code: code.replace(/^@media \(min-width: \d+px\) \{[\s\S]*?^\}/gm, ''), map: null };
    },
  };
}

export default defineConfig({
  root: 'client',
  plugins: [withoutBreakpointVariants(), react()],
  worker: { format: 'es' },
  build: {
    outDir: '../dist/client',
    emptyOutDir: true,
    target: 'es2023',
    // The worker's chunk carries TensorFlow.js: it is large on purpose, and no page loads it.
    chunkSizeWarningLimit: 3000,
    rolldownOptions: {
      checks: { bundlerTimings: false }, // whoever starts the coordinator on a slow machine cannot mend them
      output: {
        // React alone, since it changes least; everything else is split by page, as imported.
        codeSplitting: { groups: [{ name: 'react', test: /node_modules\/(react|react-dom|scheduler)\// }] },
      },
    },
  },
  server: {
    proxy: {
      '/api': COORDINATOR,
      '/data': COORDINATOR,
      '/socket.io': { target: COORDINATOR, ws: true },
    },
  },
});
