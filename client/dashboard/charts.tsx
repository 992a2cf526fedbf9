// The curves, four charts on a common horizontal axis of the operator's choice.

import { Button, Card, Heading, SegmentedControl, useThemeContext } from '@radix-ui/themes';
import { useEffect, useRef, useState } from 'react';
import type { Place } from '../page/history.ts';
import { useStore } from '../page/store.ts';
import { CHARTS, type ChartSpec } from './chart-specs.ts';
import { curves, store } from './model.ts';
import { createPlot } from './plot.ts';

const PLACES: readonly { readonly place: Place; readonly label: string }[] = [
  { place: 'timeMs', label: 'Time' },
  { place: 'version', label: 'Updates' },
  { place: 'samples', label: 'Samples' },
];

export function Charts() {
  const [place, setPlace] = useState<Place>('timeMs');
  return (
    <section aria-labelledby="curves-title">
      <div className="section-head">
        <Heading as="h2" size="4" id="curves-title">
          Curves
        </Heading>
        <SegmentedControl.Root
          size="1"
          value={place}
          onValueChange={(value) => setPlace(value as Place)}
          aria-label="Horizontal axis"
        >
          {PLACES.map((one) => (
            <SegmentedControl.Item key={one.place} value={one.place}>
              {one.label}
            </SegmentedControl.Item>
          ))}
        </SegmentedControl.Root>
      </div>
      <div className="charts">
        {CHARTS.map((spec) => (
          <Chart key={spec.title} spec={spec} place={place} />
        ))}
      </div>
    </section>
  );
}

function Chart({ spec, place }: { spec: ChartSpec; place: Place }) {
  const canvas = useRef<HTMLDivElement>(null);
  const point = useRef<HTMLSpanElement>(null);
  const { appearance } = useThemeContext();
  const [log, setLog] = useState(false);

  useEffect(() => {
    const onPoint = (text: string): void => {
      if (point.current) point.current.textContent = text;
    };
    const marks = (): readonly number[] => (spec.marksRollbacks ? store.get().rollbacks : []);
    const plot = createPlot(canvas.current!, { spec, curves, place, log, marks, onPoint });
    let drawn = curves.revision;
    let marked = marks();
    let frame = 0;
    const unsubscribe = store.subscribe(() => {
      if (curves.revision === drawn && marks() === marked) return;
      drawn = curves.revision;
      marked = marks();
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(plot.redraw);
    });
    return () => {
      unsubscribe();
      cancelAnimationFrame(frame);
      plot.destroy();
    };
    // The colours are read from the page when the plot is made: another appearance needs another plot. The theme's own is
    // asked for, since it turns a render later than what a person chose.
  }, [spec, place, log, appearance]);

  return (
    <Card size="2" asChild>
      <figure className="chart">
        <figcaption>
          <Heading as="h3" size="2">
            {spec.title}
          </Heading>
          <Legend spec={spec} />
          <span className="point" ref={point} aria-hidden="true" />
          {spec.logarithmic && (
            <Button
              size="1"
              variant={log ? 'soft' : 'ghost'}
              color="gray"
              aria-pressed={log}
              onClick={() => setLog(!log)}
            >
              Log scale
            </Button>
          )}
        </figcaption>
        <div ref={canvas} className="canvas" aria-hidden="true" />
      </figure>
    </Card>
  );
}

/** Names the lines and gives their latest values: with the description, the chart in words. */
function Legend({ spec }: { spec: ChartSpec }) {
  useStore(store, (state) => state.curveRevision);
  const rollbacks = useStore(store, (state) => state.rollbacks.length);
  return (
    <>
      <span className="sr-only">{spec.description} Latest values:</span>
      <ul className="legend">
        {spec.series.map((one) => (
          <li key={one.measure} className={one.colour.slice(2)}>
            {one.label} <strong>{one.format(curves.latest(one.measure))}</strong>
          </li>
        ))}
        {spec.marksRollbacks && rollbacks > 0 && (
          <li className="mark">
            Rolled back <strong>{rollbacks}×</strong>
          </li>
        )}
      </ul>
    </>
  );
}
