/**
 * Audio without I/O: G.711, WAV in and out, change of sample rate, tones and levels. Signals are `Int16Array`s of one
 * channel; functions that run on media threads take offsets and lengths and allocate nothing.
 */
export * from './errors.ts';
export * from './g711.ts';
export * from './goertzel.ts';
export * from './levels.ts';
export * from './resampler.ts';
export * from './tones.ts';
export * from './wav-reader.ts';
export * from './wav-writer.ts';
