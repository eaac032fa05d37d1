/** For specs: what is to hold for both implementations, with the ring and without, and for both IP versions. */
const variants = [
  { name: 'native', implementation: 'native', batchCalls: true },
  { name: 'native in single calls', implementation: 'native', batchCalls: false },
  { name: 'dgram', implementation: 'dgram', batchCalls: false },
] as const;

export const cases = variants.flatMap((variant) => ['127.0.0.1', '::1'].map((ip) => ({ ...variant, ip })));
export const LARGE_BUFFERS = { receiveBufferBytes: 1 << 20, sendBufferBytes: 1 << 20 };
