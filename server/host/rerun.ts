// Plays a recorded event log into a fresh coordinator: the same events at the same times, hence the same bits.

import { DATASETS } from '../../shared/data/catalogue.ts';
import { layoutOf } from '../../shared/model/layout.ts';
import { modelSpec } from '../../shared/model/spec.ts';
import type { Recorded, RecordedEvent } from '../adapters/recorder.ts';
import { Coordinator } from '../core/coordinator.ts';
import type { CoordinatorEvent } from '../core/events.ts';
import { methodNamed, type Registry } from '../registry.ts';

/** A coordinator as it was after the last recorded event. */
export function rerun(records: readonly Recorded[], methods: Registry): Coordinator {
  const coordinator = new Coordinator();
  for (const { nowMs, event } of records) coordinator.handle(remade(event, methods), nowMs);
  return coordinator;
}

function remade(event: RecordedEvent, methods: Registry): CoordinatorEvent {
  switch (event.type) {
    case 'open':
      return reopened(event, methods);
    case 'method':
      return { ...event, method: methodNamed(methods, event.config.name) };
    case 'push':
      return { ...event, vector: event.vector.slice() }; // the coordinator overwrites it, and the log may be played again
    case 'trusted':
      return { ...event, vector: event.vector && event.vector.slice() };
    default:
      return event;
  }
}

function reopened(
  { config, shardCounts, secret, boot, snapshot }: Extract<RecordedEvent, { type: 'open' }>,
  methods: Registry,
): CoordinatorEvent {
  const dataset = DATASETS[config.dataset];
  const model = modelSpec(config.model.name, dataset.sampleShape, dataset.classNames.length, config.model.hidden);
  const method = methodNamed(methods, config.method.name);
  const setup = { config, method, model, layout: layoutOf(model), dataset, shardCounts, ...(secret && { secret }) };
  return { type: 'open', setup, ...(boot !== undefined && { boot }), ...(snapshot && { snapshot }) };
}
