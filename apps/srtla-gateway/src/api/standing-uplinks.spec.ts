import { expect, test } from '@jest/globals';
import { ServiceError } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import { pino } from 'pino';
import { StandingUplinks } from './standing-uplinks.ts';
import type { UplinkOrigin } from './uplink-sessions.ts';

const record = (name: string, rest: Partial<srtla.UplinkRecord> = {}): srtla.UplinkRecord =>
  srtla.UplinkRecord.fromPartial({ uplinkId: `up_${name}`, settings: { name }, dataBytes: { eth0: 7 }, ...rest });

/** What is open, by name, of what the records and the configuration ask for. `refusal`: why something is not opened now. */
function world(records: srtla.UplinkRecord[], refusal: (name: string) => ServiceError | undefined = () => undefined) {
  const open = new Map<string, UplinkOrigin | undefined>();
  const removed: string[] = [];
  const create = async (settings: srtla.UplinkSettings, origin?: UplinkOrigin): Promise<srtla.Uplink> => {
    const error = refusal(settings.name);
    if (error !== undefined) throw error;
    if (open.has(settings.name)) throw new ServiceError('ALREADY_EXISTS', 'UPLINK_EXISTS', 'it is there');
    open.set(settings.name, origin);
    return srtla.Uplink.fromPartial({ settings });
  };
  const store = { load: async () => records, remove: (name: string) => void removed.push(name) };
  return { open, removed, standing: new StandingUplinks({ create }, store, pino({ level: 'silent' })) };
}

const settingsOf = (name: string): srtla.UplinkSettings => srtla.UplinkSettings.fromPartial({ name });

test('what is configured and what was left is opened; what the configuration lists no more is forgotten', async () => {
  const { open, removed, standing } = world([
    record('van'),
    record('boat', { configured: true }),
    record('tent', { configured: true }),
  ]);
  await standing.start([settingsOf('boat')]);
  const dataBytes = new Map([['eth0', 7]]);
  expect([...open]).toEqual([
    ['boat', { configured: true, formerId: 'up_boat', dataBytes }],
    ['van', { configured: false, formerId: 'up_van', dataBytes }],
  ]);
  expect(removed).toEqual(['tent']);
});

test('those that a drain has closed are opened again, and nothing else', async () => {
  const { open, standing } = world([record('van')]);
  await standing.start([settingsOf('boat')]);
  open.delete('van');
  open.delete('boat');
  await standing.resume();
  expect([...open.keys()]).toEqual(['boat', 'van']);
  await standing.resume();
  expect(standing.waiting).toEqual([]);
});

test('what makes no sense any more is dropped; what waits gives way to a call, but not what is configured', async () => {
  const refusals = new Map([
    ['odd', new ServiceError('INVALID_ARGUMENT', 'INVALID_FIELD', 'no')],
    ['van', new ServiceError('FAILED_PRECONDITION', 'PORT_UNAVAILABLE', 'no')],
    ['boat', new ServiceError('FAILED_PRECONDITION', 'PORT_UNAVAILABLE', 'no')],
  ]);
  const { open, removed, standing } = world([record('odd'), record('van')], (name) => refusals.get(name));
  await standing.start([settingsOf('boat')]);
  expect([removed, standing.waiting]).toEqual([['odd'], ['boat', 'van']]);
  refusals.clear();
  await expect(standing.create(settingsOf('boat'))).rejects.toMatchObject({ reason: 'UPLINK_EXISTS' });
  await standing.create(settingsOf('van'));
  expect([[...open], standing.waiting]).toEqual([[['van', undefined]], ['boat']]);
  standing.stop();
});
