import { coarseTime, elapsedUs } from './coarse-time.ts';
import { MAX_DROPOUT, MAX_MISORDER, sequenceDelta } from './sequence-number.ts';
import { isAddress, isHost, setAddress, TransportAddress } from './transport-address.ts';

export type LatchMode = 'off' | 'learn-once' | 'roaming';

export interface LatchOptions {
  /** How long after open, or after a new remote, a source is believed without proof. */
  readonly windowUs: number;
  /** How long the present source must be silent before another may follow it. */
  readonly silenceUs: number;
  /** Packets in order that prove a source, 2 or more. */
  readonly packetsInOrder: number;
}

export const RTP_LATCH_OPTIONS: LatchOptions = { windowUs: 5e6, silenceUs: 2e6, packetsInOrder: 5 };
/** Reports come every 2 to 6 s (RFC 3550 6.2): five of them missed is silence. */
export const RTCP_LATCH_OPTIONS: LatchOptions = { windowUs: 10e6, silenceUs: 30e6, packetsInOrder: 2 };

/** The `sequence` of packets that have none (RTCP): order is then the SSRC staying the same. */
export const NO_SEQUENCE = -1;

export const LatchVerdict = {
  drop: 0,
  accept: 1,
  /** Accept, and `current` is another address than before, which is now in `previous`. */
  moved: 2,
} as const;
export type LatchVerdict = (typeof LatchVerdict)[keyof typeof LatchVerdict];

/** What signalling says for a source. */
const Evidence = { none: 0, host: 1, signalled: 2 } as const;
type Evidence = (typeof Evidence)[keyof typeof Evidence];

/** Who may push whom from the one place where a source proves itself. */
const Likelihood = { stranger: 0, host: 1, continues: 2, predecessor: 3, signalled: 4 } as const;
type Likelihood = (typeof Likelihood)[keyof typeof Likelihood];

/** A source that is silent for this part of `silenceUs` loses that place to whoever comes. */
const STALE_PART = 4;

/** Who else wants a stream, or had it. Fields only: a structured clone of it is as good. */
class Rivals {
  /** The one source that is proving itself. */
  readonly candidate = new TransportAddress();
  candidateSsrc = 0;
  candidateNext = 0;
  candidateRun = 0;
  candidateHeardUs = 0;
  candidateLikelihood: Likelihood = Likelihood.stranger;
  candidateContinues = false;

  /** Of the sources that lost the stream by silence, the one that had held it longest. */
  readonly predecessor = new TransportAddress();
  predecessorHeldUs = 0;

  /** A host that is as good as the signalled one. */
  readonly hint = new TransportAddress();
}
/** Of every latch that has seen none. */
const NOBODY = new Rivals();

/**
 * The NAT latch: which source a stream is taken from and, since that is the one that gets through a NAT, sent to. One for RTP,
 * one for RTCP.
 *
 * Threat: the ports of a media server are guessable, and whoever sends to one could speak into a call, and, where the latch
 * follows every packet, hear it too ("RTP bleed"). The attacker meant here is off path: it sends what it likes, as fast as it
 * likes, from addresses of its own, also behind the NAT of the true peer, but does not see the stream.
 *
 * Evidence, from strong to weak: the address and port that signalling named; its host with another port; nothing at all (a peer
 * behind a NAT looks like this, and so does an attacker). A source is *proved* by `packetsInOrder` packets of one SSRC with
 * consecutive sequence numbers. A source is taken
 *   1. at once, while none has been heard: the signalled one at any time, any other within the window (early media needs it);
 *   2. at once, within the window, if it is the signalled one and the present source is not;
 *   3. when proved, if the present source is not, or none has been heard: a stray packet or a port scan holds nothing;
 *   4. when proved, if it is the signalled one and the present source is not: whoever was first, or came in a silence, gives
 *      the stream back to the one that signalling named, at any time;
 *   5. when proved, within the window, if it is on the signalled host and the present source is not;
 *   6. when proved, if the present source has been silent for `silenceUs`;
 *   7. when proved, if it lost the stream by rule 6, had held it longer than the present source has by now, and signalling says
 *      no less for it: a peer that stops sending while nobody speaks gets back what an intruder took meanwhile;
 *   8. `roaming` only, when proved, even while the present source talks, if it continues that one's stream: same SSRC, every
 *      packet of the proof ahead of it in sequence. A device that changes networks does that; a stranger would have to guess 32
 *      bits of SSRC and the sequence, and with an SSRC of its own it waits for rule 6, in `roaming` too.
 * `off` takes the signalled address alone. Everything else is dropped and counted. So in `learn-once` a proved source that
 * talks is displaced only by the signalled address, by its host within the window, or by one that held the stream before and
 * longer; no stranger is ever heard beside it.
 *
 * What remains: (a) Who forges the peer's address, or sits on the path, passes any latch; that takes SRTP. (b) If the signalled
 * address is never heard (NAT), an attacker that is first *and* keeps up a proper stream holds it: nothing in the packets tells
 * the two apart. The true peer then shows in `challenges`; on that alarm a controller renews the offer or calls `relearn`.
 * (c) A peer behind a NAT that is silent for longer than it has talked can lose the stream to a patient attacker: `touch` when
 * it was told to be silent (hold). (d) Until it is displaced, a first source in the window is heard and hears what is sent.
 */
export class AddressLatch {
  // First what every packet of the present source needs: it shares one or two cache lines.
  /** A source has been taken: `current` is where packets come from. */
  heard = false;
  /** That source is the signalled one, or proved. */
  established = false;
  /** Where to send: the source that is taken, until then the signalled address. Port 0: nowhere yet. */
  readonly current = new TransportAddress();
  private ssrc = 0;
  private sequence = 0;
  /** Coarse time of the present source's last packet. */
  private heardAt = 0;

  mode: LatchMode;
  /** May be replaced; a window that is open keeps its end. */
  options: LatchOptions;
  /** What signalling named; port 0 while it has named nothing. */
  readonly signalled = new TransportAddress();
  /** Where `current` was before `accept` last moved it; null if it never has. */
  previous: TransportAddress | null = null;

  dropped = 0;
  /** Sources taken, the first one too. */
  sourceChanges = 0;
  /** Sources that were proved and refused, since another was talking: somebody tries to get in, or sits in another's place. */
  challenges = 0;

  private windowEndsUs = 0;

  private evidence: Evidence = Evidence.none;
  private run = 0;
  private sinceUs = 0;

  /** Made when the first rival turns up: most streams never see one. */
  private rivals: Rivals | null = null;

  constructor(mode: LatchMode, options: LatchOptions, nowUs: number) {
    this.mode = mode;
    this.options = options;
    this.relearn(nowUs);
  }

  /** Signalling named an address (words as int32). The same again changes nothing: a session refresh opens no window. */
  setRemote(w0: number, w1: number, w2: number, w3: number, port: number, nowUs: number): void {
    if (isAddress(this.signalled, w0, w1, w2, w3, port)) return;
    setAddress(this.signalled, w0, w1, w2, w3, port);
    if (this.heard && isAddress(this.current, w0, w1, w2, w3, port)) {
      this.evidence = Evidence.signalled;
      this.established = true;
    } else {
      this.relearn(nowUs);
    }
  }

  setMode(mode: LatchMode, nowUs: number): void {
    if (mode === this.mode) return;
    this.mode = mode;
    this.relearn(nowUs);
  }

  /** Names a host that is as good as the signalled one: for RTCP, the one where RTP comes from. */
  setHint(w0: number, w1: number, w2: number, w3: number): void {
    this.haveRivals();
    setAddress(this.others.hint, w0, w1, w2, w3, 1);
  }

  /** Forgets all sources and opens a new window. */
  relearn(nowUs: number): void {
    const { w0, w1, w2, w3, port } = this.signalled;
    setAddress(this.current, w0, w1, w2, w3, port);
    this.heard = false;
    this.established = false;
    this.evidence = Evidence.none;
    this.windowEndsUs = nowUs + this.options.windowUs;
    if (!this.rivals) return;
    this.others.candidateRun = 0;
    this.others.predecessorHeldUs = 0;
  }

  /** Counts the silence of the present source from now on: until now it was told to be silent. */
  touch(nowUs: number): void {
    this.heardAt = coarseTime(nowUs);
  }

  /** Judges a well-formed packet by where it came from. Pass only those of a payload type that was negotiated. */
  accept(
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    port: number,
    ssrc: number,
    sequence: number,
    nowUs: number,
  ): LatchVerdict {
    ssrc |= 0;
    if (this.heard && isAddress(this.current, w0, w1, w2, w3, port)) return this.acceptCurrent(ssrc, sequence, nowUs);

    const evidence = this.evidenceFor(w0, w1, w2, w3, port);
    let run = 1;
    if (!this.mayTakeUnproved(evidence, nowUs)) {
      run = this.mode === 'off' ? 0 : this.prove(w0, w1, w2, w3, port, ssrc, sequence, evidence, nowUs);
      if (run < this.options.packetsInOrder || !this.mayTakeProved(evidence, nowUs)) {
        if (run === this.options.packetsInOrder) this.challenges++;
        this.dropped++;
        return LatchVerdict.drop;
      }
    }
    this.handOver(run, evidence, nowUs);
    const moved = !isAddress(this.current, w0, w1, w2, w3, port);
    if (moved) this.move(w0, w1, w2, w3, port);
    this.established = evidence === Evidence.signalled || run >= this.options.packetsInOrder;
    this.heard = true;
    this.ssrc = ssrc;
    this.sequence = sequence;
    this.run = run;
    this.heardAt = coarseTime(nowUs);
    if (this.others.candidateRun > 0) this.others.candidateRun = 0;
    this.sourceChanges++;
    return moved ? LatchVerdict.moved : LatchVerdict.accept;
  }

  /** To be read; to be written to only after `haveRivals`. */
  private get others(): Rivals {
    return this.rivals ?? NOBODY;
  }

  private haveRivals(): void {
    this.rivals ??= new Rivals();
  }

  private move(w0: number, w1: number, w2: number, w3: number, port: number): void {
    const { current } = this;
    this.previous ??= new TransportAddress();
    setAddress(this.previous, current.w0, current.w1, current.w2, current.w3, current.port);
    setAddress(current, w0, w1, w2, w3, port);
  }

  private acceptCurrent(ssrc: number, sequence: number, nowUs: number): LatchVerdict {
    this.heardAt = coarseTime(nowUs);
    const ahead = sequence === NO_SEQUENCE ? 1 : sequenceDelta(sequence, this.sequence);
    if (!this.established) {
      this.run = ssrc === this.ssrc && ahead === 1 ? this.run + 1 : 1;
      this.established = this.run >= this.options.packetsInOrder;
    }
    if (ssrc !== this.ssrc || ahead > 0 || ahead <= -MAX_MISORDER) this.sequence = sequence;
    this.ssrc = ssrc;
    return LatchVerdict.accept;
  }

  private evidenceFor(w0: number, w1: number, w2: number, w3: number, port: number): Evidence {
    if (isHost(this.signalled, w0, w1, w2, w3)) {
      return port === this.signalled.port ? Evidence.signalled : Evidence.host;
    }
    return isHost(this.others.hint, w0, w1, w2, w3) ? Evidence.host : Evidence.none;
  }

  /** Rules 1 and 2. */
  private mayTakeUnproved(evidence: Evidence, nowUs: number): boolean {
    if (this.mode === 'off') return evidence === Evidence.signalled;
    const learning = nowUs < this.windowEndsUs;
    if (!this.heard) return learning || evidence === Evidence.signalled;
    return learning && evidence === Evidence.signalled && this.evidence !== Evidence.signalled;
  }

  /** Rules 3 to 8, for the candidate. */
  private mayTakeProved(evidence: Evidence, nowUs: number): boolean {
    if (!this.established) return true;
    if (evidence > this.evidence && (evidence === Evidence.signalled || nowUs < this.windowEndsUs)) return true;
    if (elapsedUs(nowUs, this.heardAt) >= this.options.silenceUs) return true;
    if (
      this.others.predecessorHeldUs > nowUs - this.sinceUs &&
      evidence >= this.evidence &&
      sameAddress(this.others.candidate, this.others.predecessor)
    ) {
      return true;
    }
    return this.mode === 'roaming' && this.others.candidateContinues;
  }

  /** Counts the packets in order of the candidate; 0 for a source that is not it. */
  private prove(
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    port: number,
    ssrc: number,
    sequence: number,
    evidence: Evidence,
    nowUs: number,
  ): number {
    this.haveRivals();
    const continues = this.continues(ssrc, sequence);
    if (this.others.candidateRun > 0 && isAddress(this.others.candidate, w0, w1, w2, w3, port)) {
      if (ssrc !== this.others.candidateSsrc || sequence !== this.others.candidateNext) {
        // The place is free again, not its own again: a flood out of order cannot keep others from it.
        this.others.candidateRun = 0;
        return 0;
      }
      this.others.candidateRun++;
      this.others.candidateContinues &&= continues;
    } else {
      const likelihood = this.likelihoodOf(w0, w1, w2, w3, port, evidence, continues);
      const taken =
        this.others.candidateRun > 0 && nowUs - this.others.candidateHeardUs <= this.options.silenceUs / STALE_PART;
      if (taken && likelihood <= this.others.candidateLikelihood) return 0;
      setAddress(this.others.candidate, w0, w1, w2, w3, port);
      this.others.candidateSsrc = ssrc;
      this.others.candidateRun = 1;
      this.others.candidateLikelihood = likelihood;
      this.others.candidateContinues = continues;
    }
    this.others.candidateNext = sequence === NO_SEQUENCE ? NO_SEQUENCE : (sequence + 1) & 0xffff;
    this.others.candidateHeardUs = nowUs;
    return this.others.candidateRun;
  }

  private continues(ssrc: number, sequence: number): boolean {
    if (!this.heard || ssrc !== this.ssrc || sequence === NO_SEQUENCE) return false;
    const ahead = sequenceDelta(sequence, this.sequence);
    return ahead > 0 && ahead < MAX_DROPOUT;
  }

  private likelihoodOf(
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    port: number,
    evidence: Evidence,
    continues: boolean,
  ): Likelihood {
    if (evidence === Evidence.signalled) return Likelihood.signalled;
    if (this.others.predecessorHeldUs > 0 && isAddress(this.others.predecessor, w0, w1, w2, w3, port))
      return Likelihood.predecessor;
    if (continues) return Likelihood.continues;
    // A NAT that binds anew mostly keeps its host.
    return evidence === Evidence.host || isHost(this.current, w0, w1, w2, w3) ? Likelihood.host : Likelihood.stranger;
  }

  /** The books when the present source loses the stream: who held it for how long, and what is said for the new one. */
  private handOver(run: number, evidence: Evidence, nowUs: number): void {
    const proved = run >= this.options.packetsInOrder;
    if (proved && this.mode === 'roaming' && this.others.candidateContinues) {
      // The same device elsewhere: it keeps the standing and the age of its stream.
      if (evidence > this.evidence) this.evidence = evidence;
      return;
    }
    const silentUs = elapsedUs(nowUs, this.heardAt);
    const heldUs = this.established ? nowUs - silentUs - this.sinceUs : 0;
    this.sinceUs = nowUs;
    if (proved && this.others.predecessorHeldUs > 0 && sameAddress(this.others.candidate, this.others.predecessor)) {
      this.sinceUs = nowUs - this.others.predecessorHeldUs;
      this.others.predecessorHeldUs = 0;
    } else if (silentUs >= this.options.silenceUs && heldUs > this.others.predecessorHeldUs) {
      const { w0, w1, w2, w3, port } = this.current;
      this.haveRivals();
      setAddress(this.others.predecessor, w0, w1, w2, w3, port);
      this.others.predecessorHeldUs = heldUs;
    }
    this.evidence = evidence;
  }
}

function sameAddress(a: TransportAddress, b: TransportAddress): boolean {
  return isAddress(a, b.w0, b.w1, b.w2, b.w3, b.port);
}
