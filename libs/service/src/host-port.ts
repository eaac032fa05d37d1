/** A host or literal with its port, as URLs and gRPC targets have it: IPv6 in brackets (RFC 3986 3.2.2). */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
