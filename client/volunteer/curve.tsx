// The run's loss curve, as a small drawing: no chart library on this page. Redrawn when a page of points has come.

import { Text } from '@radix-ui/themes';
import { duration, loss } from '../page/format.ts';
import { useStore } from '../page/store.ts';
import { curves, store } from './model.ts';
import { linePath, rangeOf, type Scales } from './path.ts';

/** Beside the curve two digits do. */
const tick = (value: number): string => value.toFixed(2);

const BOX = { width: 560, height: 150 };

export function Curve() {
  useStore(store, (state) => state.curveRevision);
  const { timeMs } = curves.places;
  const { trainLoss, validationLoss } = curves.measures;
  const x = rangeOf(timeMs);
  const y = rangeOf(trainLoss, validationLoss);
  if (x === null || y === null || x[0] === x[1]) {
    return (
      <Text as="p" size="2" color="gray" className="no-curve">
        The loss curve appears here with the first updates.
      </Text>
    );
  }
  const scales: Scales = { x, y, box: BOX };
  return (
    <figure className="curve">
      <figcaption>
        <Text size="2" weight="medium">
          Loss
        </Text>
        <span className="key train">training {loss(curves.latest('trainLoss'))}</span>
        <span className="key validation">validation {loss(curves.latest('validationLoss'))}</span>
      </figcaption>
      <div className="plot">
        <span className="tick top">{tick(y[1])}</span>
        <svg viewBox={`-3 -3 ${BOX.width + 6} ${BOX.height + 6}`} preserveAspectRatio="none" aria-hidden="true">
          <path className="train" d={linePath(timeMs, trainLoss, scales)} />
          <path className="validation" d={linePath(timeMs, validationLoss, scales, true)} />
        </svg>
        <span className="tick bottom">{tick(y[0])}</span>
      </div>
      <Text as="p" size="1" color="gray" align="right">
        {duration(x[1])} since the run began
      </Text>
    </figure>
  );
}
