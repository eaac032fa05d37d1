/** Writes docs/api.md from the comments in the `.proto` files. */
import { fromBinary } from '@bufbuild/protobuf';
import type {
  DescriptorProto,
  EnumDescriptorProto,
  FieldDescriptorProto,
  FileDescriptorProto,
  ServiceDescriptorProto,
} from '@bufbuild/protobuf/wkt';
import { FieldDescriptorProto_Label, FieldDescriptorProto_Type, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** Services of the page, in this order; a service that only instances call among themselves is left out. */
const SERVICES = [
  'mediaplane.rtp.v1.RtpChannelService',
  'mediaplane.srtla.v1.SrtlaGatewayService',
  'mediaplane.srtla.v1.IngestAuthorizerService',
  'mediaplane.fleet.v1.FleetService',
];

const OURS = 'mediaplane.';

/** Field numbers in descriptor.proto, of which the paths of source locations are made. */
const PACKAGE = 2;
const MESSAGES = 4;
const ENUMS = 5;
const SERVICE = 6;
const MEMBERS = 2;

/** A message, enum or service with the comments of its file. */
interface Documented<T> {
  readonly value: T;
  readonly path: string;
  readonly comments: Map<string, string>;
}

/** How types are called on the page: by their own name, and by their package too where several packages have a type of that name. */
class TypeNames {
  readonly #counts = new Map<string, number>();

  constructor(fullNames: readonly string[]) {
    for (const fullName of fullNames) this.#counts.set(own(fullName), (this.#counts.get(own(fullName)) ?? 0) + 1);
  }

  /** `SnapshotEnd` or `srtla.v1.SnapshotEnd`. */
  title(fullName: string): string {
    return this.#counts.get(own(fullName)) === 1 ? own(fullName) : fullName.slice(OURS.length);
  }

  /** To the heading of that title, whose anchor is what is left of it without dots. */
  link(fullName: string): string {
    if (!fullName.startsWith(OURS)) return fullName;
    return `[${own(fullName)}](#${this.title(fullName).replaceAll('.', '').toLowerCase()})`;
  }
}

/** Without its package. */
function own(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1);
}

export function apiPage(image: Uint8Array): string {
  const files = fromBinary(FileDescriptorSetSchema, image).file.filter((file) => file.package.startsWith(OURS));
  const messages = new Map<string, Documented<DescriptorProto>>();
  const enums = new Map<string, Documented<EnumDescriptorProto>>();
  const services = new Map<string, Documented<ServiceDescriptorProto>>();
  for (const file of files) {
    const comments = commentsOf(file);
    const name = (type: { name: string }): string => `${file.package}.${type.name}`;
    file.messageType.forEach((value, i) => messages.set(name(value), { value, path: `${MESSAGES}.${i}`, comments }));
    file.enumType.forEach((value, i) => enums.set(name(value), { value, path: `${ENUMS}.${i}`, comments }));
    file.service.forEach((value, i) => services.set(name(value), { value, path: `${SERVICE}.${i}`, comments }));
  }

  const names = new TypeNames([...messages.keys(), ...enums.keys()]);
  const out = ['# API', '', 'Made from the comments in `libs/proto/proto` by `npm run proto`; do not edit.', ''];
  const shown = new Set<string>();
  for (const serviceName of SERVICES) {
    const service = services.get(serviceName);
    if (service === undefined) throw new Error(`no service ${serviceName} in the image`);
    const used: string[] = [];
    out.push(`## ${serviceName}`, '', service.comments.get(`${PACKAGE}`) ?? '', '');
    service.value.method.forEach((method, i) => {
      out.push(`### ${method.name}`, '', service.comments.get(`${service.path}.${MEMBERS}.${i}`) ?? '', '');
      for (const [type, streamed] of [
        [method.inputType, method.clientStreaming],
        [method.outputType, method.serverStreaming],
      ] as const) {
        const message = messages.get(type.slice(1));
        if (message === undefined) throw new Error(`no message ${type} in the image`);
        shown.add(type.slice(1));
        out.push(`#### ${names.title(type.slice(1))}`, '', ...(streamed ? ['A stream.', ''] : []));
        out.push(...fieldTable(message, names), '');
        used.push(...typesOf(message.value));
      }
    });
    out.push(`## Types of ${service.value.name}`, '');
    for (let type = used.shift(); type !== undefined; type = used.shift()) {
      if (shown.has(type)) continue;
      shown.add(type);
      const message = messages.get(type);
      const enumeration = enums.get(type);
      if (message !== undefined) {
        const comment = message.comments.get(message.path) ?? '';
        out.push(`### ${names.title(type)}`, '', comment, '', ...fieldTable(message, names), '');
        used.push(...typesOf(message.value));
      } else if (enumeration !== undefined) {
        out.push(`### ${names.title(type)}`, '', enumeration.comments.get(enumeration.path) ?? '', '');
        out.push(...valueTable(enumeration), '');
      }
    }
  }
  return `${out.join('\n').trimEnd()}\n`;
}

/** Comment by location path, for example `4.0.2.1`: the second field of the first message. */
function commentsOf(file: FileDescriptorProto): Map<string, string> {
  const comments = new Map<string, string>();
  for (const location of file.sourceCodeInfo?.location ?? []) {
    // A file's own introduction stands before its package, set off by `syntax`.
    const text = location.leadingComments || location.trailingComments;
    if (text) comments.set(location.path.join('.'), text.replace(/^ /gm, '').trim());
  }
  return comments;
}

function typesOf(message: DescriptorProto): string[] {
  return message.field.map((field) => field.typeName.slice(1)).filter((name) => name.startsWith(OURS));
}

function fieldTable({ value, path, comments }: Documented<DescriptorProto>, names: TypeNames): string[] {
  if (value.field.length === 0) return ['No fields.'];
  const rows = value.field.map((field, i) => {
    const group = inOneof(field) ? ` (one of \`${value.oneofDecl[field.oneofIndex].name}\`)` : '';
    return row(
      `\`${field.name}\``,
      `${typeName(field, value, names)}${group}`,
      comments.get(`${path}.${MEMBERS}.${i}`),
    );
  });
  return ['| field | type | |', '|---|---|---|', ...rows];
}

function valueTable({ value, path, comments }: Documented<EnumDescriptorProto>): string[] {
  const rows = value.value.map((entry, i) =>
    row(`\`${entry.name}\``, String(entry.number), comments.get(`${path}.${MEMBERS}.${i}`)),
  );
  return ['| value | number | |', '|---|---|---|', ...rows];
}

function row(name: string, type: string, comment = ''): string {
  return `| ${name} | ${type} | ${comment.replaceAll('|', '\\|').replaceAll('\n', ' ')} |`;
}

/** proto3 writes a synthetic oneof for every `optional` field; those are not shown. */
function inOneof(field: FieldDescriptorProto): boolean {
  return Object.hasOwn(field, 'oneofIndex') && !field.proto3Optional;
}

function typeName(field: FieldDescriptorProto, parent: DescriptorProto, names: TypeNames): string {
  const entry = parent.nestedType.find(
    (nested) => nested.options?.mapEntry && field.typeName.endsWith(`.${nested.name}`),
  );
  if (entry !== undefined) return `map<${entry.field.map((part) => typeName(part, entry, names)).join(', ')}>`;
  const name = field.typeName
    ? names.link(field.typeName.slice(1))
    : FieldDescriptorProto_Type[field.type].toLowerCase();
  if (field.label === FieldDescriptorProto_Label.REPEATED) return `repeated ${name}`;
  return field.proto3Optional ? `optional ${name}` : name;
}
