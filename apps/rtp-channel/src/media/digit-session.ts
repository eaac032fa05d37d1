import {
  EventChange,
  RTP_FIXED_HEADER_BYTES,
  TelephoneEventReceiver,
  telephoneEventName,
  TelephoneEventSender,
  type RtpHeader,
} from '@mediaplane/rtp';
import { FRAME_MS, SAMPLE_RATE_HZ } from './contract.ts';
import type { ChannelSession } from './channel-session.ts';
import { revive } from './revive.ts';

const NO_JOBS: string[] = [];
const FRAME_UNITS = (FRAME_MS * SAMPLE_RATE_HZ) / 1000;

export interface DigitSnapshot {
  readonly received: number;
  readonly sent: number;
  readonly receiver: object | null;
  readonly sender: object | null;
  readonly jobIds: readonly string[];
  readonly sentOfJob: string;
}

/** The digits of a channel, both ways (RFC 4733): what it hears becomes events, what it is told to send becomes packets. */
export class DigitSession {
  received = 0;
  sent = 0;
  /** Each made with its first digit: most channels see none. */
  receiver: TelephoneEventReceiver | null = null;
  sender: TelephoneEventSender | null = null;
  readonly #channel: ChannelSession;
  /** Jobs that have not finished, in order, and the digits of the first that have left. */
  #jobIds: string[] = NO_JOBS;
  #sentOfJob = '';

  constructor(channel: ChannelSession) {
    this.#channel = channel;
  }

  snapshot(): DigitSnapshot {
    const { received, sent, receiver, sender } = this;
    return { received, sent, receiver, sender, jobIds: this.#jobIds, sentOfJob: this.#sentOfJob };
  }

  restore(state: DigitSnapshot): void {
    this.received = state.received;
    this.sent = state.sent;
    this.receiver = state.receiver && revive(new TelephoneEventReceiver(SAMPLE_RATE_HZ), state.receiver);
    this.sender = state.sender && revive(new TelephoneEventSender(FRAME_UNITS, FRAME_MS), state.sender);
    this.#jobIds = [...state.jobIds];
    this.#sentOfJob = state.sentOfJob;
  }

  /** When `onDeadline` is due: the end of an event is overdue. */
  get dueUs(): number {
    return this.receiver?.nextDeadlineUs ?? Infinity;
  }

  /** Digits are going out, so nothing else does. */
  get sending(): boolean {
    return this.sender !== null && this.sender.busy;
  }

  onPacket(header: RtpHeader, nowUs: number): void {
    const { io } = this.#channel.tools;
    const receiver = (this.receiver ??= new TelephoneEventReceiver(SAMPLE_RATE_HZ));
    const dueUs = receiver.nextDeadlineUs;
    this.#report(
      receiver,
      receiver.receive(io.view, header.payloadOffset, header.payloadLength, header.ssrc, header.timestamp, nowUs),
    );
    // The deadline moves on with every packet; only an earlier one has to be set.
    if (receiver.nextDeadlineUs < dueUs) this.#channel.schedule();
  }

  onDeadline(nowUs: number): void {
    if (this.receiver) this.#report(this.receiver, this.receiver.onDeadline(nowUs));
  }

  send(job: { dtmfId: string; digits: string; digitMs: number; gapMs: number; volumeDbm0: number }): number {
    this.#jobIds = [...this.#jobIds, job.dtmfId];
    this.sender ??= new TelephoneEventSender(FRAME_UNITS, FRAME_MS);
    const { dtmfId, digits, digitMs, gapMs, volumeDbm0 } = job;
    this.sender.send({ id: dtmfId, digits, digitMs, gapMs, volume: -volumeDbm0 });
    this.#channel.updateFrames();
    return this.sender.remainingMs;
  }

  /** Once a frame. True while digits take the place of other audio. */
  onFrame(dueUs: number): boolean {
    const { sender } = this;
    if (!sender?.busy) return false;
    const { tools, outbound, settings, port } = this.#channel;
    const payloadLength = sender.nextFrame(tools.io.view, tools.outgoing + RTP_FIXED_HEADER_BYTES);
    if (payloadLength > 0 && outbound.canSend) {
      if (sender.begins) outbound.stream.beginEvent(dueUs);
      else outbound.stream.continueEvent(sender.timestampOffset);
      outbound.sendOwn(settings.formats.sendDtmfPayloadType, payloadLength, dueUs);
    }
    if (sender.sentDigit !== '') {
      this.sent += 1;
      this.#sentOfJob += sender.sentDigit;
      port.emit({ type: 'dtmf-sent', dtmfId: this.#jobIds[0], digit: sender.sentDigit });
    }
    if (sender.finishedJob) {
      port.emit({ type: 'dtmf-finished', dtmfId: sender.finishedJob.id, digits: this.#sentOfJob, completed: true });
      this.#sentOfJob = '';
      this.#jobIds = this.#jobIds.slice(1);
    }
    return true;
  }

  /** Drops all digits that have not left: the channel closes or may send no more. */
  abort(): void {
    for (const job of this.sender?.cancel() ?? []) {
      this.#channel.port.emit({ type: 'dtmf-finished', dtmfId: job.id, digits: this.#sentOfJob, completed: false });
      this.#sentOfJob = '';
    }
    this.#jobIds = NO_JOBS;
  }

  #report(receiver: TelephoneEventReceiver, change: number): void {
    const { port, player } = this.#channel;
    if ((change & EventChange.started) !== 0) {
      this.received += 1;
      if (player?.state.interruptOnDtmf) {
        this.#channel.endPlayback('interrupted-by-dtmf', telephoneEventName(receiver.event));
      }
    }
    if ((change & EventChange.ended) !== 0) {
      port.emit({
        type: 'dtmf-received',
        digit: telephoneEventName(receiver.endedEvent),
        durationMs: Math.round((receiver.endedDuration * 1000) / SAMPLE_RATE_HZ),
        volumeDbm0: -receiver.endedVolume,
      });
    }
  }
}
