/**
 * ITU-T G.711 companding between 16-bit linear samples and one byte a sample.
 *
 * Linear values are the 14-bit (mu-law) and 13-bit (A-law) ones of the recommendation, left-justified in 16 bits, as in the
 * Sun reference code. An encoder picks the quantising interval by magnitude, so `encode(-x)` and `encode(x)` differ in the
 * sign bit alone; the Sun mu-law encoder floors negative samples to 14 bits first, which shifts each negative decision value
 * by up to three of the 65,536 steps and makes a negative offset of silence.
 */
export type G711Codec = 'PCMU' | 'PCMA';

/** The byte that decodes to the value nearest zero: 0 for mu-law, +8 for A-law, which has no zero. */
export const PCMU_SILENCE = 0xff;
export const PCMA_SILENCE = 0xd5;

const SIGN_BIT = 0x80;
/** Added to a mu-law magnitude so that every segment starts at a power of two: 33 of 14 bits. */
const MU_BIAS = 33 << 2;
/** Largest mu-law magnitude that stays within segment 7: 8158.75 of 14 bits. */
const MU_CLIP = 0x7fff - MU_BIAS;
/** A-law inverts the even bits, so that silence has many transitions on the line (G.711 table 1a, note 2). */
const A_EVEN_BITS = 0x55;

/** @param sample -32768 to 32767. Returns 0 to 255. */
export function linearToPcmu(sample: number): number {
  const sign = sample < 0 ? SIGN_BIT : 0;
  const magnitude = Math.min(sample < 0 ? -sample : sample, MU_CLIP) + MU_BIAS;
  const segment = 24 - Math.clz32(magnitude);
  return ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)) & 0xff;
}

/** @param sample -32768 to 32767. Returns 0 to 255. */
export function linearToPcma(sample: number): number {
  const sign = sample < 0 ? 0 : SIGN_BIT;
  // One's complement: -1 belongs to the first negative interval, which ends at 0.
  const magnitude = sample < 0 ? ~sample : sample;
  // Segments 0 and 1 have the same step; from 2 on each doubles it.
  const segment = Math.max(24 - Math.clz32(magnitude), 0);
  const interval = (magnitude >> (segment === 0 ? 4 : segment + 3)) & 0x0f;
  return (sign | (segment << 4) | interval) ^ A_EVEN_BITS;
}

function pcmuToLinear(byte: number): number {
  const code = ~byte;
  const magnitude = ((((code & 0x0f) << 3) + MU_BIAS) << ((code & 0x70) >> 4)) - MU_BIAS;
  return code & SIGN_BIT ? -magnitude : magnitude;
}

function pcmaToLinear(byte: number): number {
  const code = byte ^ A_EVEN_BITS;
  const segment = (code & 0x70) >> 4;
  const half = ((code & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? half : (half + 0x100) << (segment - 1);
  return code & SIGN_BIT ? magnitude : -magnitude;
}

/** Linear value of every byte: the middle of its quantising interval. */
export const PCMU_TO_LINEAR = Int16Array.from({ length: 256 }, (_, byte) => pcmuToLinear(byte));
export const PCMA_TO_LINEAR = Int16Array.from({ length: 256 }, (_, byte) => pcmaToLinear(byte));
/** Byte of one law for every byte of the other, by decoding and encoding. */
export const PCMU_TO_PCMA = Uint8Array.from(PCMU_TO_LINEAR, linearToPcma);
export const PCMA_TO_PCMU = Uint8Array.from(PCMA_TO_LINEAR, linearToPcmu);

export function g711Silence(codec: G711Codec): number {
  return codec === 'PCMU' ? PCMU_SILENCE : PCMA_SILENCE;
}

/** Decodes `length` bytes from `bytes[offset]` into `out[outOffset]`. Bounds are the caller's. */
export function decodeG711(
  codec: G711Codec,
  bytes: Uint8Array,
  offset: number,
  length: number,
  out: Int16Array,
  outOffset: number,
): void {
  const table = codec === 'PCMU' ? PCMU_TO_LINEAR : PCMA_TO_LINEAR;
  for (let i = 0; i < length; i++) out[outOffset + i] = table[bytes[offset + i]];
}

/** Encodes `length` samples from `samples[offset]` into `out[outOffset]`. Bounds are the caller's. */
export function encodeG711(
  codec: G711Codec,
  samples: Int16Array,
  offset: number,
  length: number,
  out: Uint8Array,
  outOffset: number,
): void {
  if (codec === 'PCMU') {
    for (let i = 0; i < length; i++) out[outOffset + i] = linearToPcmu(samples[offset + i]);
  } else {
    for (let i = 0; i < length; i++) out[outOffset + i] = linearToPcma(samples[offset + i]);
  }
}

/** Turns `length` bytes of law `from` into the other law, in place. */
export function transcodeG711(from: G711Codec, bytes: Uint8Array, offset: number, length: number): void {
  const map = from === 'PCMU' ? PCMU_TO_PCMA : PCMA_TO_PCMU;
  const end = offset + length;
  for (let i = offset; i < end; i++) bytes[i] = map[bytes[i]];
}
