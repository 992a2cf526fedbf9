// The page of the step bench: starts the Web Worker, and puts its figures where the bench finds them.

const worker = new Worker(new URL('./tab-worker.ts', import.meta.url), {
  type: 'module',
  name: location.search,
});
worker.addEventListener('message', (event) => (document.title = JSON.stringify(event.data)));
worker.addEventListener('error', (event) => (document.title = JSON.stringify({ error: event.message })));
