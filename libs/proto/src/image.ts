import { BinaryReader } from '@bufbuild/protobuf/wire';
import { readFileSync } from 'node:fs';

/** Field number of `file` in google.protobuf.FileDescriptorSet. */
const FILE = 1;

/** Every `.proto` file and what it imports, each a serialised google.protobuf.FileDescriptorProto: for gRPC reflection. */
export function fileDescriptors(): Uint8Array[] {
  const reader = new BinaryReader(readFileSync(new URL('../image.binpb', import.meta.url)));
  const files: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === FILE) files.push(reader.bytes());
    else reader.skip(wireType, field);
  }
  return files;
}
