import { formatIp, isUnspecified, parseIpInto, parseSocketAddress, SocketAddress } from '@mediaplane/net';
import type { RemoteEndpoint, TransportAddress } from '@mediaplane/proto';
import { quoted } from '@mediaplane/service';
import type { Violations } from '@mediaplane/service';
import type { AddressWords } from '../media/contract.ts';

const MAX_PORT = 65535;

/** The endpoint with its address in canonical text (RFC 5952) and its RTCP port filled in. */
export function normaliseRemote(
  input: RemoteEndpoint | undefined,
  field: string,
  ipVersion: 4 | 6,
  violations: Violations,
): RemoteEndpoint | undefined {
  if (input === undefined) return undefined;
  const { rtpPort } = input;
  const address = normaliseAddress(input.address, `${field}.address`, ipVersion, violations);
  violations.requireRange(`${field}.rtp_port`, rtpPort, 1, MAX_PORT);
  const rtcpPort = input.rtcpPort === 0 ? rtpPort + 1 : input.rtcpPort;
  if (rtcpPort > MAX_PORT) {
    violations.add(`${field}.rtcp_port`, `must be 1 to ${MAX_PORT}; rtp_port + 1 is ${rtcpPort}`);
  } else if (rtcpPort === rtpPort) {
    violations.add(`${field}.rtcp_port`, 'must differ from rtp_port: RTP and RTCP on one port are not supported');
  }
  return { address, rtpPort, rtcpPort };
}

function normaliseAddress(text: string, field: string, ipVersion: 4 | 6, violations: Violations): string {
  const address = new SocketAddress();
  if (!parseIpInto(address, text)) {
    violations.add(field, `must be an IPv4 or IPv6 literal, is ${quoted(text)}`);
    return text;
  }
  if (isUnspecified(address)) violations.add(field, 'must not be the unspecified address');
  else if (isMulticast(address)) violations.add(field, 'must not be a multicast address');
  else if (address.isIpv4 !== (ipVersion === 4)) {
    violations.add(field, `must be IPv${ipVersion} as the channel's interface, is ${quoted(text)}`);
  }
  return formatIp(address);
}

/** 224.0.0.0/4 (RFC 5771) and ff00::/8 (RFC 4291 2.7). */
function isMulticast(address: SocketAddress): boolean {
  return address.isIpv4 ? address.w3 >>> 28 === 0xe : address.w0 >>> 24 === 0xff;
}

/** Of an endpoint that `normaliseRemote` has made. */
export function remoteAddresses(remote: RemoteEndpoint): { rtp: AddressWords; rtcp: AddressWords } {
  const rtp = parseSocketAddress(remote.address, remote.rtpPort);
  const rtcp = new SocketAddress().copyFrom(rtp);
  rtcp.port = remote.rtcpPort;
  return { rtp, rtcp };
}

export function transportAddress(words: AddressWords): TransportAddress {
  const address = new SocketAddress().set(words.w0, words.w1, words.w2, words.w3, words.port);
  return { address: formatIp(address), port: words.port };
}

/** @throws NetError for what is no address; between instances of the service, that is a bug. */
export function addressWords({ address, port }: TransportAddress): AddressWords {
  return parseSocketAddress(address, port);
}
