import { z } from 'zod';

/** What a leaf of a configuration schema knows of itself, for error lines and the table of keys. */
export interface KeyMeta {
  readonly description: string;
  /** Allowed values in words: `0 to 65535`. */
  readonly range: string;
  /** Never shown in errors or the table. */
  readonly secret?: boolean;
  /** Name of the environment variable, where it is not made from the path. */
  readonly env?: string;
}

type KeyOptions = Pick<KeyMeta, 'secret' | 'env'>;

/** `make` gets the words that every refusal of the value ends with. */
function key<T extends z.ZodType>(
  make: (error: string) => T,
  description: string,
  range: string,
  options: KeyOptions = {},
): T {
  const meta: KeyMeta = { description, range, ...options };
  return make(`must be ${range}`).meta({ ...meta });
}

/** A whole number; its unit is in the key's name. */
export function integer(min: number, max: number, byDefault: number, description: string, options?: KeyOptions) {
  const make = (error: string) => z.int({ error }).min(min, error).max(max, error).default(byDefault);
  return key(make, description, `${min} to ${max}`, options);
}

/** A number that need not be whole; its unit is in the key's name. */
export function decimal(min: number, max: number, byDefault: number, description: string, options?: KeyOptions) {
  const make = (error: string) => z.number({ error }).min(min, error).max(max, error).default(byDefault);
  return key(make, description, `${min} to ${max}`, options);
}

export function text(byDefault: string, description: string, range = 'text', options?: KeyOptions) {
  return key((error) => z.string({ error }).default(byDefault), description, range, options);
}

/** Text that matches `regex`; `range` says the same in words. */
export function pattern(regex: RegExp, byDefault: string, description: string, range: string, options?: KeyOptions) {
  return key((error) => z.string({ error }).regex(regex, error).default(byDefault), description, range, options);
}

export function choice<const T extends readonly [string, ...string[]]>(
  values: T,
  byDefault: NoInfer<T[number]>,
  description: string,
  options?: KeyOptions,
) {
  const make = (error: string) => z.enum(values, { error }).prefault(byDefault);
  return key(make, description, values.join(', '), options);
}

export function flag(byDefault: boolean, description: string, options?: KeyOptions) {
  return key((error) => z.boolean({ error }).default(byDefault), description, 'true, false', options);
}

/** A list of sections; in the environment it is written as YAML or JSON. It may be empty where the default is. */
export function list<T extends z.ZodRawShape>(shape: T, byDefault: z.input<z.ZodObject<T>>[], description: string) {
  const least = Math.min(byDefault.length, 1);
  const make = (error: string) => z.array(z.strictObject(shape), { error }).min(least, error).prefault(byDefault);
  return key(make, description, `a list of {${Object.keys(shape).join(', ')}}${least > 0 ? ', at least one' : ''}`);
}

/** A group of keys; every one of them has a default, so the group may be left out: `{}` is a valid input, which zod's types cannot know. */
export function section<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape).prefault({} as z.input<z.ZodObject<T>>);
}

/** The meta data of a leaf; a leaf that was not made by this file has none, which is a bug of the schema. */
export function metaOf(leaf: z.ZodType, path: string): KeyMeta {
  const { description, range, secret, env } = leaf.meta() ?? {};
  if (typeof description !== 'string' || typeof range !== 'string') {
    throw new Error(`configuration key ${path} was not made by config/keys.ts`);
  }
  return {
    description,
    range,
    ...(secret === true ? { secret } : {}),
    ...(typeof env === 'string' ? { env } : {}),
  };
}
