import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { configKeys } from './schema-walk.ts';
import type { ConfigKey } from './schema-walk.ts';

/** A configuration that cannot be used. `message` is one line that names the key, the value and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A rule over several keys that was broken. */
export interface ConfigProblem {
  readonly path: string;
  /** `must be above net.rtpPortMin` */
  readonly complaint: string;
}

/** Later sources win: defaults, `file`, `env`, `values`. */
export interface ConfigSources {
  /** Path of a YAML file; default `MEDIAPLANE_CONFIG` of `env`. */
  readonly file?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Set by code, for tests and for several services in one process: `{ grpc: { port: 0 } }`. */
  readonly values?: Readonly<Record<string, unknown>> | undefined;
}

type Tree = Record<string, unknown>;

/** @throws ConfigError */
export function loadConfig<S extends z.ZodObject>(
  schema: S,
  sources: ConfigSources,
  check?: (config: z.output<S>) => ConfigProblem | undefined,
): z.output<S> {
  const env = sources.env ?? {};
  const keys = configKeys(schema);
  const file = sources.file ?? env['MEDIAPLANE_CONFIG'] ?? '';
  const tree: Tree = {};
  const origin = new Map<string, string>();
  if (file !== '') merge(tree, readYaml(file), '', file, origin);
  for (const key of keys) {
    const raw = env[key.env];
    if (raw === undefined) continue;
    merge(tree, nested(key.path, fromEnvironment(key, raw)), '', key.env, origin);
  }
  merge(tree, sources.values ?? {}, '', 'code', origin);

  const result = schema.safeParse(tree);
  if (!result.success) throw explain(result.error.issues, keys, tree, origin);
  const problem = check?.(result.data);
  if (problem !== undefined) {
    throw new ConfigError(describe(problem.path, valueAt(result.data, problem.path), problem.complaint, keys, origin));
  }
  return result.data;
}

function readYaml(file: string): Tree {
  let content: unknown;
  try {
    content = parseYaml(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new ConfigError(`configuration file ${file}: ${reason}`);
  }
  if (content === null) return {};
  if (isTree(content)) return content;
  throw new ConfigError(`configuration file ${file}: must be a mapping of keys`);
}

/** A value that cannot be converted stays text; the schema then refuses it by name. */
function fromEnvironment(key: ConfigKey, raw: string): unknown {
  if (key.kind === 'number') return raw.trim() === '' ? raw : Number.isNaN(Number(raw)) ? raw : Number(raw);
  if (key.kind === 'flag') return raw === 'true' ? true : raw === 'false' ? false : raw;
  if (key.kind !== 'list') return raw;
  try {
    return parseYaml(raw);
  } catch {
    return raw;
  }
}

function merge(target: Tree, source: Readonly<Tree>, prefix: string, from: string, origin: Map<string, string>): void {
  for (const [name, value] of Object.entries(source)) {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const existing = target[name];
    if (isTree(value)) {
      const branch = isTree(existing) ? existing : {};
      target[name] = branch;
      merge(branch, value, path, from, origin);
    } else if (value !== undefined) {
      target[name] = value;
      origin.set(path, from);
    }
  }
}

function nested(path: string, value: unknown): Tree {
  const names = path.split('.');
  const last = names.pop() ?? path;
  return names.reduceRight<Tree>((inner, name) => ({ [name]: inner }), { [last]: value });
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueAt(tree: unknown, path: string): unknown {
  const step = (value: unknown, name: string): unknown =>
    typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  return path
    .split(/[.[\]]+/)
    .filter((name) => name !== '')
    .reduce(step, tree);
}

function explain(
  issues: readonly z.core.$ZodIssue[],
  keys: readonly ConfigKey[],
  tree: Tree,
  origin: ReadonlyMap<string, string>,
): ConfigError {
  const [issue] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const prefix = path === '' ? '' : `${path}.`;
    const unknown = prefix + issue.keys[0];
    const siblings = new Set(
      keys.filter((key) => key.path.startsWith(prefix)).map((key) => key.path.slice(prefix.length).split('.')[0]),
    );
    const known = siblings.size === 0 ? '' : `; known are ${[...siblings].join(', ')}`;
    return new ConfigError(`configuration: ${unknown}${from(unknown, origin)}: there is no such key${known}${more}`);
  }
  return new ConfigError(describe(path, valueAt(tree, path), issue.message, keys, origin) + more);
}

function describe(
  path: string,
  value: unknown,
  complaint: string,
  keys: readonly ConfigKey[],
  origin: ReadonlyMap<string, string>,
): string {
  const secret = keys.some((key) => key.path === path && key.secret === true);
  return `configuration: ${path} = ${secret ? '(hidden)' : JSON.stringify(value)}${from(path, origin)}: ${complaint}`;
}

function from(path: string, origin: ReadonlyMap<string, string>): string {
  const source = origin.get(path);
  return source === undefined ? '' : ` (from ${source})`;
}
