import { formatIp, formatSocketAddress, parseSocketAddress, plainAddress, SocketAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import type { srtla } from '@mediaplane/proto';

export function endpoint(words: AddressWords): srtla.Endpoint {
  return { address: formatIp(new SocketAddress().copyFrom(words)), port: words.port };
}

export function endpointText(words: AddressWords): string {
  return formatSocketAddress(new SocketAddress().copyFrom(words));
}

/** Plain data, to cross to a media thread. @throws NetError for what is no address */
export function addressWords({ address, port }: srtla.Endpoint): AddressWords {
  return plainAddress(parseSocketAddress(address, port));
}

export function sameEndpoint(a: srtla.Endpoint | undefined, b: srtla.Endpoint | undefined): boolean {
  return a?.address === b?.address && a?.port === b?.port;
}
