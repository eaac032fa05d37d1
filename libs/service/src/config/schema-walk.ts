import { z } from 'zod';
import { metaOf } from './keys.ts';
import type { KeyMeta } from './keys.ts';

export interface ConfigKey extends KeyMeta {
  /** `grpc.port` */
  readonly path: string;
  /** `MEDIAPLANE_GRPC_PORT` */
  readonly env: string;
  readonly kind: 'text' | 'number' | 'flag' | 'list';
  readonly defaultValue: unknown;
}

/** Every key of a schema, in the order they are written. */
export function configKeys(schema: z.ZodObject): ConfigKey[] {
  return [...walk(schema, '')];
}

function* walk(schema: z.ZodObject, prefix: string): Generator<ConfigKey> {
  for (const [name, value] of Object.entries(schema.shape)) {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    if (!(value instanceof z.ZodType)) throw new Error(`configuration key ${path} is not a zod type`);
    const inner = unwrapped(value);
    if (inner instanceof z.ZodObject) {
      yield* walk(inner, path);
    } else {
      const meta = metaOf(value, path);
      yield {
        ...meta,
        path,
        env: meta.env ?? environmentName(path),
        kind: kindOf(inner),
        defaultValue: value.parse(undefined),
      };
    }
  }
}

function unwrapped(type: z.ZodType): z.ZodType {
  if (type instanceof z.ZodDefault || type instanceof z.ZodPrefault) {
    const inner = type.unwrap();
    if (inner instanceof z.ZodType) return inner;
  }
  return type;
}

function kindOf(type: z.ZodType): ConfigKey['kind'] {
  if (type instanceof z.ZodNumber) return 'number';
  if (type instanceof z.ZodBoolean) return 'flag';
  if (type instanceof z.ZodArray) return 'list';
  return 'text';
}

/** `grpc.bindAddress` -> `MEDIAPLANE_GRPC_BIND_ADDRESS` */
function environmentName(path: string): string {
  const words = path.replaceAll('.', '_').replace(/([a-z0-9])([A-Z])/g, '$1_$2');
  return `MEDIAPLANE_${words.toUpperCase()}`;
}

/** The table of keys for a README. */
export function configTable(schema: z.ZodObject): string {
  const rows = configKeys(schema).map((key) => {
    const shown = key.kind === 'text' && key.defaultValue === '' ? '' : `\`${JSON.stringify(key.defaultValue)}\``;
    return `| \`${key.path}\` | \`${key.env}\` | ${shown} | ${key.range} | ${key.description} |`;
  });
  return ['| key | environment | default | allowed | |', '|---|---|---|---|---|', ...rows, ''].join('\n');
}
