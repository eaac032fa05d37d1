import { readFileSync } from 'node:fs';
import { ConfigError } from '@mediaplane/service';
import type { SrtlaGatewayConfig } from '../config.ts';
import type { SrtlaGatewayRuntime } from '../runtime.ts';
import type { StatisticsBus } from '../watch/statistics-bus.ts';
import { StatisticsServer } from './statistics-server.ts';
import { StreamPages } from './stream-pages.ts';
import { UplinkPages } from './uplink-pages.ts';

/** '' for no page. @throws ConfigError */
export function statisticsKey({ readKey, readKeyFile }: SrtlaGatewayConfig['statistics']): string {
  if (readKeyFile === '') return readKey;
  try {
    const key = readFileSync(readKeyFile, 'utf8').trim();
    if (key !== '') return key;
  } catch {
    // Said below.
  }
  throw new ConfigError(`configuration: statistics.readKeyFile = "${readKeyFile}": must be a readable file with a key`);
}

/** Until `stack` ends. */
export async function serveStatistics(
  { bindAddress, port }: SrtlaGatewayConfig['statistics'],
  readKey: string,
  statistics: StatisticsBus,
  { log }: SrtlaGatewayRuntime,
  stack: AsyncDisposableStack,
): Promise<void> {
  const pages = new StreamPages();
  const uplinks = new UplinkPages();
  stack.use(statistics.follow(pages.onReport));
  stack.use(statistics.follow(uplinks.onReport));
  const server = new StatisticsServer(pages, uplinks, readKey);
  const bound = await server.listen(bindAddress, port);
  stack.defer(() => server.stop());
  log.info({ address: `${bindAddress}:${bound}` }, 'statistics for scene switchers');
}
