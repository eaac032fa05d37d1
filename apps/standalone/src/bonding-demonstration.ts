import { srtla } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import type { RunningService } from '@mediaplane/service';
import { clientOptions } from './client-options.ts';
import { canBond, streamBonded } from './demo/bonded-stream.ts';
import type { Demonstration } from './demonstration.ts';
import { inWords } from './errors-in-words.ts';
import type { Progress } from './progress.ts';
import { judgeBonding } from './report/bonding-checks.ts';
import { renderBonding } from './report/bonding-report.ts';

/**
 * Sends a stream through both ends of srtla-gateway over two links, lets one of them die, and tells what came of it. `name` is that of
 * the listener and the uplink; `tlsCa` as in `demonstrateCall`. Never rejects.
 */
export async function demonstrateBonding(
  service: RunningService,
  name: string,
  tlsCa: string | undefined,
  progress: Progress,
): Promise<Demonstration> {
  try {
    if (!(await canBond())) {
      return { ok: true, lines: ['  – no bonded stream: this system has one loopback address only'] };
    }
    const options = await clientOptions(service.config.grpc, tlsCa);
    using client = createClient(srtla.SrtlaGatewayServiceDefinition, service.grpcAddress, options);
    const facts = await streamBonded({ client, instanceId: service.instanceId, name, progress });
    const checks = judgeBonding(facts);
    return { ok: checks.every(({ ok }) => ok), lines: renderBonding(facts, checks) };
  } catch (error) {
    return { ok: false, lines: [`  ✗ the bonded stream broke off: ${inWords(error)}`] };
  }
}
