import type { MediaSettings } from './contract.ts';

/** Silence on a channel that receives before `media-idle` is reported. */
const REPORT_AFTER_US = 5_000_000;

export type IdleRule = 'rtp' | 'no-remote' | 'hold';

export type IdleFinding =
  | { readonly kind: 'silent'; readonly silentMs: number }
  | { readonly kind: 'expired'; readonly rule: IdleRule; readonly silentMs: number };

type IdleSettings = Pick<
  MediaSettings,
  'remoteRtp' | 'receives' | 'rtpTimeoutMs' | 'noRemoteTimeoutMs' | 'holdTimeoutMs'
>;

/**
 * Decides when a channel that hears nothing is given up. Three rules, one at a time: a channel that does not receive (hold)
 * has its own patience, and so has one whose peer is not known yet. A change of rule starts its time anew, so that a call
 * that comes back from a long hold is not ended at once.
 */
export class IdleWatch {
  /** Monotonic; Infinity: nothing to wait for. */
  dueUs = Infinity;
  private rule: IdleRule = 'no-remote';
  private timeoutUs = 0;
  private sinceUs: number;
  private reported = true;

  constructor(settings: IdleSettings, nowUs: number) {
    this.sinceUs = nowUs;
    this.configure(settings, false, nowUs);
  }

  /** Settings may have changed. `heard`: media has come although no remote was signalled. */
  configure(settings: IdleSettings, heard: boolean, nowUs: number): void {
    const rule = !settings.receives ? 'hold' : settings.remoteRtp || heard ? 'rtp' : 'no-remote';
    const timeoutMs =
      rule === 'hold' ? settings.holdTimeoutMs : rule === 'rtp' ? settings.rtpTimeoutMs : settings.noRemoteTimeoutMs;
    this.timeoutUs = timeoutMs === 0 ? Infinity : timeoutMs * 1000;
    if (rule !== this.rule) {
      this.rule = rule;
      this.sinceUs = nowUs;
      this.reported = rule !== 'rtp';
    }
    this.schedule();
  }

  /** Media has come again; true if the channel was silent before, or heard its first packet. */
  heardAgain(nowUs: number): void {
    this.sinceUs = nowUs;
    this.reported = this.rule !== 'rtp';
  }

  /** At or after `dueUs`. `lastPacketUs`: when the last accepted packet came, or -Infinity. */
  check(lastPacketUs: number, nowUs: number): IdleFinding | null {
    const sinceUs = Math.max(this.sinceUs, lastPacketUs);
    const silentUs = nowUs - sinceUs;
    this.sinceUs = sinceUs;
    const silentMs = Math.round(silentUs / 1000);
    let finding: IdleFinding | null = null;
    if (silentUs >= this.timeoutUs) {
      finding = { kind: 'expired', rule: this.rule, silentMs };
      this.timeoutUs = Infinity;
    } else if (!this.reported && silentUs >= REPORT_AFTER_US) {
      finding = { kind: 'silent', silentMs };
      this.reported = true;
    }
    this.schedule();
    return finding;
  }

  private schedule(): void {
    this.dueUs = this.sinceUs + Math.min(this.timeoutUs, this.reported ? Infinity : REPORT_AFTER_US);
  }
}
