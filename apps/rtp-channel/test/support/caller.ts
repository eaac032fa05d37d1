import type { Channel } from '@mediaplane/proto';
import { RtpPhone } from '@mediaplane/testkit';
import type { RtpPhoneOptions } from '@mediaplane/testkit';
import type { Instance } from './instance.ts';

type OpenRequest = Parameters<Instance['channels']['openChannel']>[0];
type Settings = NonNullable<OpenRequest['settings']>;

/** A phone and the channel it talks to. */
export interface Caller extends AsyncDisposable {
  readonly phone: RtpPhone;
  readonly channelId: string;
  readonly channel: Channel;
}

/** Opens a channel for a new phone, which calls it and speaks at once. */
export async function dial(
  { channels }: Pick<Instance, 'channels'>,
  settings: Settings = {},
  options: RtpPhoneOptions = {},
): Promise<Caller> {
  const phone = await RtpPhone.open(options);
  const remote = { address: phone.address, rtpPort: phone.port, rtcpPort: phone.rtcpPort };
  const { channel } = await channels.openChannel({ settings: { remote, ...settings } });
  if (channel?.local === undefined) throw new Error('no channel');
  const { channelId, local } = channel;
  phone.call({ address: local.address, port: local.rtpPort, rtcpPort: local.rtcpPort });
  phone.start();
  return {
    phone,
    channelId,
    channel,
    async [Symbol.asyncDispose]() {
      await phone.close();
      await channels.closeChannel({ channelId }).catch(() => undefined);
    },
  };
}

export const PCMA = { payloadType: 8, encodingName: 'PCMA' };
export const PCMU = { payloadType: 0, encodingName: 'PCMU' };
export const EVENTS = { payloadType: 101, encodingName: 'telephone-event' };

/** A tone of 8 kHz PCM16. */
export function tone(hz: number, ms: number, amplitude = 8000): Int16Array {
  return Int16Array.from({ length: ms * 8 }, (_, i) => Math.round(amplitude * Math.sin((2 * Math.PI * hz * i) / 8000)));
}
