import { ServiceError } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import { ConfigError } from '@mediaplane/service';
import { uplinkSettings } from '../api/uplink-messages.ts';
import type { ConfiguredUplink } from '../config.ts';
import { parseServer } from '../validation/names.ts';
import { validateUplink } from '../validation/uplink-requests.ts';
import { requireUplinkSettings } from './settings.ts';

const { CLASSIC, ENHANCED } = srtla.SchedulingMode;

/** The settings of the uplinks that the configuration lists. @throws ConfigError that names the entry and what is wrong with it */
export function configuredUplinks(entries: readonly ConfiguredUplink[]): srtla.UplinkSettings[] {
  return entries.map((entry, i) => {
    try {
      const twin = entries.findIndex(({ name }) => name === entry.name);
      if (twin !== i) throw ServiceError.invalidField('name', `is that of uplinks[${twin}] too`);
      const settings = validateUplink(settingsOf(entry));
      requireUplinkSettings(uplinkSettings(settings));
      return settings;
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw new ConfigError(`configuration: uplinks[${i}]: ${error.message.replaceAll('settings.', '')}`);
    }
  });
}

function settingsOf({ receiver, mode, ...rest }: ConfiguredUplink): srtla.UplinkSettings {
  const server = parseServer(receiver);
  if (server === undefined) throw ServiceError.invalidField('receiver', `must be host:port, is "${receiver}"`);
  return srtla.UplinkSettings.fromPartial({
    ...rest,
    receiverHost: server.host,
    receiverPort: server.port,
    mode: mode === 'classic' ? CLASSIC : ENHANCED,
  });
}
