import { AudioError } from './errors.ts';

/**
 * RIFF (Microsoft/IBM "Multimedia Programming Interface" 1.0, 1991) and its 64-bit form RF64 (EBU Tech 3306), read only as
 * far as WAVE needs it: a form header and a flat run of chunks.
 *
 *     'RIFF' size:u32 'WAVE' { id:4 size:u32 body[size] pad[size & 1] }
 */
export interface RiffForm {
  /** What the form header claims to follow its first 8 bytes; for RF64 the value in `ds64`. */
  readonly declaredBytes: number;
  /** RF64: the length of the `data` chunk, whose own field then says `UNKNOWN_SIZE`. */
  readonly ds64DataBytes: number | null;
}

export interface RiffChunk {
  readonly id: string;
  /** Where the body starts. */
  readonly offset: number;
  /** Size field of the chunk, which may reach beyond the end of the bytes. */
  readonly declaredBytes: number;
}

/** What a writer that cannot seek leaves in a size field. */
export const UNKNOWN_SIZE = 0xffffffff;

const FORM_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
/** riffSize:u64 dataSize:u64 sampleCount:u64 tableLength:u32 */
const DS64_MIN_BYTES = 28;

export function fourCc(view: DataView, offset: number): string {
  return String.fromCharCode(
    view.getUint8(offset),
    view.getUint8(offset + 1),
    view.getUint8(offset + 2),
    view.getUint8(offset + 3),
  );
}

function uint64(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32;
}

/** @throws AudioError `not-riff`, `truncated` */
export function readRiffForm(view: DataView): RiffForm {
  const id = view.byteLength >= 4 ? fourCc(view, 0) : '';
  if (id !== 'RIFF' && id !== 'RF64') throw new AudioError('not-riff', 'no RIFF or RF64 header at byte 0');
  if (view.byteLength < FORM_HEADER_BYTES) {
    throw new AudioError('truncated', `a RIFF header has ${FORM_HEADER_BYTES} bytes, here are ${view.byteLength}`);
  }
  if (fourCc(view, 8) !== 'WAVE') throw new AudioError('not-riff', 'the RIFF form is not WAVE');
  if (id === 'RIFF') return { declaredBytes: view.getUint32(4, true), ds64DataBytes: null };

  // EBU Tech 3306: ds64 is the first chunk of RF64.
  const body = FORM_HEADER_BYTES + CHUNK_HEADER_BYTES;
  if (view.byteLength < body + DS64_MIN_BYTES) throw new AudioError('truncated', 'RF64 ends inside its ds64 chunk');
  if (fourCc(view, FORM_HEADER_BYTES) !== 'ds64') throw new AudioError('not-riff', 'RF64 without a ds64 chunk');
  return { declaredBytes: uint64(view, body), ds64DataBytes: uint64(view, body + 8) };
}

/** Chunks in file order. Ends where no whole chunk header is left or a size field leads beyond the end. */
export function* riffChunks(view: DataView): Generator<RiffChunk> {
  let position = FORM_HEADER_BYTES;
  while (position + CHUNK_HEADER_BYTES <= view.byteLength) {
    const declaredBytes = view.getUint32(position + 4, true);
    const offset = position + CHUNK_HEADER_BYTES;
    yield { id: fourCc(view, position), offset, declaredBytes };
    position = offset + declaredBytes + (declaredBytes & 1);
  }
}
