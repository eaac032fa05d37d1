import type { ConfigProblem } from '@mediaplane/service';
import type { SrtlaGatewayConfig } from './config.ts';
import { RELAY_PORTS } from './relay/relay-network.ts';
import { configuredUplinksProblem } from './uplinks/configured.ts';

type CheckedConfig = Pick<SrtlaGatewayConfig, 'uplinks' | 'upstream' | 'tokens' | 'relay' | 'statistics'>;

/** Rules over several keys; what is wrong with a listener is found when it is made into settings. */
export function checkConfig({
  uplinks,
  upstream,
  tokens,
  relay,
  statistics,
}: CheckedConfig): ConfigProblem | undefined {
  if (upstream.portMax < upstream.portMin) {
    return { path: 'upstream.portMax', complaint: `must not be below upstream.portMin, ${upstream.portMin}` };
  }
  if (tokens.previousKeyFile !== '' && tokens.keyFile === '') {
    return { path: 'tokens.keyFile', complaint: 'must be set with tokens.previousKeyFile' };
  }
  if (relay.previousKeyFile !== '' && relay.keyFile === '') {
    return { path: 'relay.keyFile', complaint: 'must be set with relay.previousKeyFile' };
  }
  if (relay.port !== 0 && relay.port + RELAY_PORTS > upstream.portMin && relay.port <= upstream.portMax) {
    const range = `${upstream.portMin} to ${upstream.portMax}`;
    const complaint = `must not be, nor the ${RELAY_PORTS - 1} ports after it, of upstream.portMin to portMax, ${range}`;
    return { path: 'relay.port', complaint };
  }
  if (statistics.readKey !== '' && statistics.readKeyFile !== '') {
    return { path: 'statistics.readKeyFile', complaint: 'must be empty when statistics.readKey is set' };
  }
  return configuredUplinksProblem(uplinks, upstream);
}
