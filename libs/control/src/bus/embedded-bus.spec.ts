import { testBus } from '../../test/bus-conformance.ts';
import { VirtualClock, settle } from '../testing/virtual-clock.ts';
import { EmbeddedBus } from './embedded-bus.ts';

const clock = new VirtualClock();
const bus = new EmbeddedBus({ clock });

testBus('embedded', {
  open: async () => [bus, bus],
  elapse: (ms) => clock.advance(ms),
  settle,
  close: () => bus.close(),
});
