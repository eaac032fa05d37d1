/** The least SDP (RFC 8866) that offers or answers PCMU at a port of the loopback interface. */
export function phoneSdp(port: number): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    'a=sendrecv',
    '',
  ].join('\r\n');
}

/** Port of the first audio section. @throws Error when there is none, or it is refused (port 0) */
export function audioPort(sdp: string): number {
  const port = Number(/^m=audio (\d{1,5}) /m.exec(sdp)?.[1] ?? 0);
  if (port < 1 || port > 65_535) throw new Error('the SDP has no audio port');
  return port;
}
