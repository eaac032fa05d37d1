export type AudioErrorCode =
  /** The first bytes are no RIFF or RF64 form of type WAVE. */
  | 'not-riff'
  /** The bytes end inside the RIFF header, `fmt ` or `ds64`. (Audio that ends early is no error: it is read as far as it goes.) */
  | 'truncated'
  | 'no-format'
  | 'no-data'
  /** A format chunk whose fields contradict each other. */
  | 'invalid-format'
  /** A sound format that is not decoded, such as ADPCM or float. */
  | 'unsupported-format'
  | 'unsupported-rate'
  | 'unsupported-channels'
  /** More audio than the size fields of a WAV header can hold. */
  | 'too-long'
  /** A tone that cannot be sampled: at or above half the rate, or below 1 Hz. */
  | 'unsupported-frequency';

/** Bad input from outside. The message names the value and what is allowed. */
export class AudioError extends Error {
  override readonly name = 'AudioError';
  readonly code: AudioErrorCode;

  constructor(code: AudioErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
