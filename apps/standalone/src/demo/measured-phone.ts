import { Pacer, RtpPhone, writeRtp } from '@mediaplane/testkit';
import type { PhoneRemote, ReceivedRtp, RtpPhoneOptions } from '@mediaplane/testkit';

const PTIME_MS = 20;

export interface SentAudio {
  readonly payload: Uint8Array;
  /** On `RtpPhone.nowUs()`. */
  readonly sentUs: number;
}

/**
 * A phone that remembers when it sent what, so that the way of its speech can be timed by whoever hears it: the audio itself
 * stays as it is. It paces its own voice instead of `RtpPhone.start`.
 */
export class MeasuredPhone implements AsyncDisposable {
  readonly phone: RtpPhone;
  readonly sent: SentAudio[] = [];
  private readonly dtmfPayloadType: number;
  private pacer: Pacer | undefined;

  private constructor(phone: RtpPhone, dtmfPayloadType: number) {
    this.phone = phone;
    this.dtmfPayloadType = dtmfPayloadType;
  }

  static async open(options: RtpPhoneOptions & { readonly dtmfPayloadType: number }): Promise<MeasuredPhone> {
    return new MeasuredPhone(await RtpPhone.open({ ...options, ptimeMs: PTIME_MS }), options.dtmfPayloadType);
  }

  /** Begins to send to `remote`: silence where nothing is to be said. */
  start(remote: PhoneRemote): void {
    this.phone.call(remote);
    this.pacer ??= new Pacer(PTIME_MS * 1000, RtpPhone.nowUs, () => this.tick());
  }

  /** Ends speaking; it still hears. Idempotent. */
  stop(): void {
    this.pacer?.stop();
    this.phone.stop();
  }

  get packetsSent(): number {
    return this.phone.voice.packets;
  }

  /** How late it sent at worst, see `Pacer`. */
  get maxLateMs(): number {
    return (this.pacer?.maxLateUs ?? 0) / 1000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.phone.close();
  }

  private tick(): void {
    for (const packet of this.phone.voice.tick()) {
      const sentUs = RtpPhone.nowUs();
      this.phone.sendRaw(writeRtp(packet));
      if (packet.payloadType !== this.dtmfPayloadType) this.sent.push({ payload: packet.payload, sentUs });
    }
  }
}

/**
 * Times in ms from sending to hearing, in no order, of all packets whose payload was sent once and heard once: speech hardly
 * ever repeats 160 samples, silence always does.
 */
export function wayTimesMs(
  sent: readonly SentAudio[],
  heard: readonly Pick<ReceivedRtp, 'payload' | 'arrivalUs'>[],
): number[] {
  const sentOnce = uniqueByPayload(sent);
  const heardOnce = uniqueByPayload(heard);
  return [...sentOnce].flatMap(([payload, { sentUs }]) => {
    const arrival = heardOnce.get(payload);
    return arrival === undefined ? [] : [(arrival.arrivalUs - sentUs) / 1000];
  });
}

function uniqueByPayload<T extends { readonly payload: Uint8Array }>(packets: readonly T[]): Map<string, T> {
  const byPayload = new Map<string, T | null>();
  for (const packet of packets) {
    const key = Buffer.from(packet.payload).toString('latin1');
    byPayload.set(key, byPayload.has(key) ? null : packet);
  }
  return new Map([...byPayload].filter((entry): entry is [string, T] => entry[1] !== null));
}

/** Quantile of unordered values, the smallest that is at least as large as a `share` of them; 0 for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
