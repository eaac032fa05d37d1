import { readFileSync } from 'node:fs';

/** Every `.proto` file with what it imports, as a serialised `google.protobuf.FileDescriptorSet`: for gRPC reflection. */
export function descriptorImage(): Uint8Array {
  return readFileSync(new URL('../image.binpb', import.meta.url));
}
